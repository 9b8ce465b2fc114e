#include "policies/profiles/head_map.h"

#include <algorithm>
#include <utility>

#include "policies/profiles/profile_option.h"

namespace kvscope {

HeadMap HeadMap::from_options(Options& options, const Keys& keys) {
  HeadMap map;
  const std::string words = keys.none.empty() ? "auto" : "auto | " + keys.none;
  const HeadTableKey table_key{
      .key = keys.table,
      .otherwise = "auto",
      .words = words,
      .help = keys.help + "; auto: the map of the model, where there is one"};
  const ConfigNode* given = head_table_node(options, table_key);
  const bool none = given != nullptr && given->is_string() && !keys.none.empty() &&
                    given->as_string() == keys.none;
  const auto kind = keys.columns == Columns::kOne ? ProfileKind::kLayers : ProfileKind::kHeads;
  if (!none) map.given_ = head_table_option(options, table_key, kind);
  for (const ConfigNode* entry : map_entries(options)) {
    HeadTable table(profile_of_option(*entry, options.place("maps"), kind));
    if (!none) map.known_.push_back(std::move(table));
  }
  return map;
}

const HeadTable* HeadMap::of(const CacheGeometry& geometry) const {
  if (given_) return &*given_;
  const auto found = std::ranges::find_if(
      known_, [&](const HeadTable& known) { return known.profile()->shape.fits(geometry); });
  return found == known_.end() ? nullptr : &*found;
}

HeadTypes heads_below(const HeadTable& table, const CacheGeometry& geometry, double threshold) {
  table.check(geometry);
  HeadTypes types;
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    types.emplace_back();
    for (int64_t head = 0; head < geometry.heads; ++head) {
      types.back().push_back(table.at(layer, head) < threshold ? uint8_t{1} : uint8_t{0});
    }
  }
  return types;
}

}  // namespace kvscope
