#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/engine/plan.h"
#include "policies/profiles/head_roles.h"

namespace kvscope {

/// The table of heads that a policy goes by: one that was given, or the one among several that is
/// of the model at hand.
class HeadMap {
 public:
  enum class Columns {
    kHeads,  ///< a number for every head of a layer
    kOne,    ///< a number per layer
  };
  struct Keys {
    std::string table = "heads";  ///< the option
    std::string none{};           ///< its word for "no table, not even of a known model"
    Columns columns = Columns::kHeads;
    std::string help{};  ///< what its numbers mean
  };

  /// Option `keys.table` (auto): auto | `keys.none` | the path of a profile | a list of lists of
  /// numbers. Option `maps` (none): the profiles that auto chooses from, map_entries(). Throws as
  /// head_table_option() does.
  static HeadMap from_options(Options& options, const Keys& keys);

  /// The given table, unchecked; under auto the first map that fits; null where there is none.
  [[nodiscard]] const HeadTable* of(const CacheGeometry& geometry) const;

 private:
  std::optional<HeadTable> given_;
  std::vector<HeadTable> known_;
};

/// Kinds from a table, [layers][heads]: 1 where the number is below `threshold`, else 0. Throws as
/// HeadTable::check().
HeadTypes heads_below(const HeadTable& table, const CacheGeometry& geometry, double threshold);

}  // namespace kvscope
