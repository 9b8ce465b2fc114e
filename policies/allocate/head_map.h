#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/engine/plan.h"
#include "policies/allocate/head_roles.h"
#include "policies/part_options.h"

namespace kvscope {

/// The table of heads that a policy goes by: one that was given, or the one among several that is
/// of the model at hand.
class HeadMap {
 public:
  /// Option `heads` (auto): auto | the path of a table | a list of lists of numbers. Option `maps`
  /// (none): what auto chooses from, a list of
  ///   {name: janus_pro_1b, layers: 24, heads: 16, head_dim: 128, steps: next_token, table: PATH}
  /// with paths as in head_table_option(). Throws as it does.
  static HeadMap from_options(PartOptions& options);

  /// The given table after HeadTable::check(); under auto the first map of as many layers (a model
  /// that is run cut short: of more), heads, channels a head and the same kind of steps; null where
  /// there is none.
  [[nodiscard]] const HeadTable* of(const CacheGeometry& geometry) const;

 private:
  struct Known {
    int64_t layers;
    int64_t heads;
    int64_t head_dim;
    bool next_token;
    HeadTable table;
  };

  std::optional<HeadTable> given_;
  std::vector<Known> known_;
};

/// Kinds from a table, [layers][heads]: 1 where the number is below `threshold`, else 0.
HeadTypes heads_below(const HeadTable& table, const CacheGeometry& geometry, double threshold);

}  // namespace kvscope
