#include "policies/allocate/head_map.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

bool is_next_token(const CacheGeometry& geometry) {
  return !geometry.steps.empty() && geometry.steps.front().kind == StepKind::kPrefill;
}

}  // namespace

HeadMap HeadMap::from_options(PartOptions& options) {
  HeadMap map;
  map.given_ = head_table_option(options, "heads", "auto");
  const ConfigNode* maps = options.value("maps");
  if (maps == nullptr || maps->is_null()) return map;
  if (!maps->is_list()) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}: expected a list of {{name, layers, heads, head_dim, steps, table}}",
                    options.place("maps")));
  }
  for (std::size_t i = 0; i < maps->size(); ++i) {
    PartOptions one(fmt::format("{}.{}", options.place("maps"), i), maps->items()[i]);
    const int64_t layers = one.integer("layers", 1, 1);
    const int64_t heads = one.integer("heads", 1, 1);
    const int64_t head_dim = one.integer("head_dim", 1, 1);
    const bool next_token =
        one.word("steps", "next_token", {"next_token", "next_scale"}) == "next_token";
    auto table = head_table_option(one, "table", "none");
    one.finish();
    if (!table) continue;
    if (table->layers() != layers || table->heads() != heads) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: a table of {} layers x {} heads, not {} x {}", table->source(),
                              table->layers(), table->heads(), layers, heads));
    }
    map.known_.push_back({.layers = layers,
                          .heads = heads,
                          .head_dim = head_dim,
                          .next_token = next_token,
                          .table = *std::move(table)});
  }
  return map;
}

const HeadTable* HeadMap::of(const CacheGeometry& geometry) const {
  if (given_) {
    given_->check(geometry);
    return &*given_;
  }
  const auto fits = [&](const Known& known) {
    return known.layers >= geometry.layers && known.heads == geometry.heads &&
           known.head_dim == geometry.head_dim && known.next_token == is_next_token(geometry);
  };
  const auto found = std::find_if(known_.begin(), known_.end(), fits);
  return found == known_.end() ? nullptr : &found->table;
}

HeadTypes heads_below(const HeadTable& table, const CacheGeometry& geometry, double threshold) {
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
