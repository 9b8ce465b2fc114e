#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace kvscope {

/// A value for every (layer, scale), [layers][scales] in one line; NaN where a scale has no
/// history to look at.
using LayerScaleValues = std::vector<double>;

/// ScaleKV (arXiv:2505.19602, section 3.2): Z(l, k) = (ASI(l, k) - mean_k) / (std_k + 1e-8) of the
/// Attention Selectivity Index within each scale; std with divisor `layers`. NaN stays NaN.
LayerScaleValues selectivity_z_scores(std::span<const double> selectivity,
                                      int64_t layers,
                                      int64_t scales);

/// The drafters: the `count` (layer, scale) pairs of lowest Z over all pairs, the earlier scale and
/// then the lower layer first where they are equal. Fewer where fewer have a number.
std::vector<std::pair<int64_t, int64_t>> lowest_pairs(std::span<const double> z_scores,
                                                      int64_t layers,
                                                      int64_t scales,
                                                      int64_t count);

}  // namespace kvscope
