#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/plan.h"
#include "policies/allocate/known_model.h"
#include "policies/allocate/roles_file.h"
#include "policies/part_options.h"

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
  /// The roles of each scale as the file has them; `name` stands for it in messages.
  DrafterRoles(RolesFile file, std::string name);

  /// Option `roles`: auto | released_2b | released_8b | a list of layers | PATH of a roles file |
  /// {file: PATH, drafters: N_d, per: scale | generation}. A path has a '/' or a '.' in it and
  /// starts beside the YAML file that names it, or else at the working directory. `drafters`
  /// chooses anew by the file's Z-scores, `per: generation` takes the same layers at every scale:
  /// those of lowest Z on average, as many as N_d gives a scale. Option `maps` (none): what auto
  /// knows besides the released models, for_each_known_model() with `roles: {file: PATH, ...}`.
  static DrafterRoles from_options(PartOptions& options);

  /// Drafters after `step`, that is before the next one; ascending, without layers that the
  /// geometry lacks (a released model run with fewer layers). Throws Error(kConfig) where a file
  /// was made for another number of layers, heads or steps.
  [[nodiscard]] std::vector<int64_t> after(const CacheGeometry& geometry,
                                           const StepInfo& step) const;

 private:
  struct Known {
    KnownModel model;
    RolesFile file;
  };

  static DrafterRoles given_roles(PartOptions& options);
  void check(const CacheGeometry& geometry) const;

  Source source_ = Source::kAuto;
  std::vector<int64_t> layers_;
  RolesFile file_;
  std::string name_;
  std::vector<Known> known_;
};

/// The file with its `drafters` pairs of lowest Z as drafters.
RolesFile with_drafters(RolesFile file, int64_t drafters);

/// The file with the same drafters at every scale: the layers of lowest mean Z, N_d / scales of
/// them, rounded, at least one where there is any.
RolesFile same_at_every_scale(RolesFile file);

}  // namespace kvscope
