#include "policies/allocate/head_map.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {

HeadMap HeadMap::from_options(PartOptions& options, const Keys& keys) {
  HeadMap map;
  const ConfigNode* given = options.value(keys.table);
  const bool none = given != nullptr && given->is_string() && !keys.none.empty() &&
                    given->as_string() == keys.none;
  if (!none) map.given_ = head_table_option(options, keys.table, "auto");
  for_each_known_model(options, [&](const KnownModel& model, PartOptions& entry) {
    auto table = head_table_option(entry, "table", "none");
    if (!table || none) return;
    const int64_t columns = keys.columns == Columns::kOne ? 1 : model.heads;
    if (table->layers() != model.layers || table->heads() != columns) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: a table of {} layers x {}, not {} x {}", table->source(),
                              table->layers(), table->heads(), model.layers, columns));
    }
    map.known_.emplace_back(model, *std::move(table));
  });
  return map;
}

const HeadTable* HeadMap::of(const CacheGeometry& geometry) const {
  if (given_) return &*given_;
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const auto& known) { return known.first.fits(geometry); });
  return found == known_.end() ? nullptr : &found->second;
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
