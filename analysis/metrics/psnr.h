#pragma once

#include "core/base/picture.h"

namespace kvscope {

/// Mean over all pixels and channels of (a - b)^2, on 0..255. Error(kInput) unless both pictures
/// have the same size, at least one pixel.
double mean_squared_error(const Picture& a, const Picture& b);

/// Peak signal to noise ratio in decibels, 10 log10(255^2 / mean squared error), all channels
/// together (scikit-image's value); infinity for identical pictures. Errors as above.
double psnr_decibels(const Picture& a, const Picture& b);

}  // namespace kvscope
