#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/engine/plan.h"
#include "policies/profiles/profile.h"

namespace kvscope {

/// Which layers are drafters (they spread attention over the history and need most of it) before
/// each scale; the others are refiners. ScaleKV, arXiv:2505.19602.
class DrafterRoles {
 public:
  enum class Source {
    kAuto,        ///< the released roles for the 2B and 8B geometries, the calibrated ones of a
                  ///< known model, else the first layer
    kReleased2b,  ///< blocks 0 and 23; only 0 before scale 13
    kReleased8b,  ///< blocks 0, 1, 2
    kLayers,      ///< the same given layers at every scale
    kFile,        ///< calibrated: by the Attention Selectivity Index of a recorded model
  };

  DrafterRoles() = default;
  explicit DrafterRoles(Source source) : source_(source) {}
  /// The same layers at every scale.
  explicit DrafterRoles(std::vector<int64_t> layers);
  /// The roles of each scale as a profile of roles has them.
  explicit DrafterRoles(Profile roles);

  /// Option `roles`: auto | released_2b | released_8b | a list of layers | PATH of a profile |
  /// {file: PATH, drafters: N_d, per: scale | generation}. A path has a '/' or a '.' in it and
  /// starts beside the YAML file that names it, or else at the working directory. `drafters`
  /// chooses anew by the file's Z-scores, `per: generation` takes the same layers at every scale:
  /// those of lowest Z on average, as many as N_d gives a scale. Option `maps` (none): what auto
  /// knows besides the released models, map_entries() of PATH or {file: PATH, ...}.
  static DrafterRoles from_options(Options& options);

  /// Drafters after `step`, that is before the next one; ascending, without layers that the
  /// geometry lacks (a released model run with fewer layers). Throws Error(kConfig) where a
  /// profile that was given is of another model: check_profile().
  [[nodiscard]] std::vector<int64_t> after(const CacheGeometry& geometry,
                                           const StepInfo& step) const;

 private:
  static DrafterRoles given_roles(Options& options);

  Source source_ = Source::kAuto;
  std::vector<int64_t> layers_;
  Profile given_;               // under kFile
  std::vector<Profile> known_;  // what auto knows
};

/// The roles with the `drafters` pairs of lowest Z as drafters.
Profile with_drafters(Profile roles, int64_t drafters);

/// The roles with the same drafters at every scale: the layers of lowest mean Z, N_d / scales of
/// them, rounded, at least one where there is any.
Profile same_at_every_scale(Profile roles);

}  // namespace kvscope
