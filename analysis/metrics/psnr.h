#pragma once

#include "core/base/image.h"

namespace kvscope {

/// Mean over all pixels and channels of (a - b)^2, on 0..255. Error(kInput) unless both images
/// have the same size, at least one pixel.
double mean_squared_error(const Image& a, const Image& b);

/// Peak signal to noise ratio in decibels, 10 log10(255^2 / mean squared error), all channels
/// together (scikit-image's value); infinity for identical images. Errors as above.
double psnr_decibels(const Image& a, const Image& b);

}  // namespace kvscope
