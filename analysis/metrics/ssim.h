#pragma once

#include "core/base/image.h"

namespace kvscope {

/// Structural similarity (Wang et al. 2004) with torchmetrics' defaults, in double: per channel
///   (2 mu_a mu_b + c1)(2 cov + c2) / ((mu_a^2 + mu_b^2 + c1)(var_a + var_b + c2)),
/// c1 = (0.01 * 255)^2, c2 = (0.03 * 255)^2, moments under a Gaussian window of 11 x 11, sigma 1.5
/// (biased, variances clamped at 0), reflect padding (the edge pixel is not repeated), mean over
/// all pixels and channels. Error(kInput) unless both images have the same size, at least 6 each
/// way (what the padding needs).
double ssim(const Image& a, const Image& b);

}  // namespace kvscope
