#pragma once

#include <cstdint>
#include <vector>

#include "core/base/image.h"

namespace kvscope {

/// How far the Gaussian window of 11 x 11 reaches, which mirrored borders need more pixels than.
inline constexpr int64_t kSimilarityReach = 5;

/// One channel of an image, in the units of its pixels.
struct Plane {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<double> values{};  ///< [height * width]
};

/// Channel 0, 1 or 2 on 0..255.
Plane channel_plane(const Image& image, int64_t channel);

/// Sums over the pixels of two planes of Wang et al. 2004, moments under a Gaussian of 11 x 11,
/// sigma 1.5 (biased, variances clamped at 0), borders mirrored without the edge pixel:
///   contrast   (2 cov + c2) / (var_a + var_b + c2)
///   similarity contrast * (2 mu_a mu_b + c1) / (mu_a^2 + mu_b^2 + c1)
/// with c1 = (0.01 * 255)^2, c2 = (0.03 * 255)^2. `inner_contrast` leaves out kSimilarityReach
/// pixels at every border.
struct SimilaritySums {
  double similarity = 0;
  double inner_contrast = 0;
};

/// Both planes have the same size, more than kSimilarityReach each way.
SimilaritySums similarity_sums(const Plane& a, const Plane& b);

}  // namespace kvscope
