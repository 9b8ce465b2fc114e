#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/plan.h"
#include "policies/part_options.h"

namespace kvscope {

/// Which layers are drafters (they spread attention over the history and need most of it) before
/// each scale; the others are refiners. ScaleKV, arXiv:2505.19602.
class DrafterRoles {
 public:
  enum class Source {
    kAuto,        ///< the released roles for the 2B and 8B geometries, else the first layer
    kReleased2b,  ///< blocks 0 and 23; only 0 before scale 13
    kReleased8b,  ///< blocks 0, 1, 2
    kLayers,      ///< the same given layers at every scale
  };

  DrafterRoles() = default;
  explicit DrafterRoles(Source source) : source_(source) {}
  /// The same layers at every scale.
  explicit DrafterRoles(std::vector<int64_t> layers);

  /// Option `roles`: auto | released_2b | released_8b | a list of layers.
  static DrafterRoles from_options(PartOptions& options);

  /// Drafters after `step`, that is before the next one; ascending, without layers that the
  /// geometry lacks (a released model run with fewer layers).
  [[nodiscard]] std::vector<int64_t> after(const CacheGeometry& geometry,
                                           const StepInfo& step) const;

 private:
  Source source_ = Source::kAuto;
  std::vector<int64_t> layers_;
};

}  // namespace kvscope
