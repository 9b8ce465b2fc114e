#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/image.h"

namespace kvscope {

/// Filters of Pillow's Image.resize, whose support grows with the reduction (antialiasing).
enum class ResizeFilter {
  kBicubic,  ///< Keys' cubic with a = -0.5
  kLanczos   ///< windowed sinc of 3 lobes
};

/// `image` at another size as Pillow resizes 8-bit RGB, to the bit: weights in fixed point of 22
/// bits, the horizontal pass first, rounded to 8 bits, then the vertical one. A pass that keeps its
/// size is left out. Pillow 13 takes the vertical pass first for some tall images; this never does,
/// as no earlier version did. Throws Error(kInput) for an empty image or size.
Image resize_image(const Image& image, int64_t height, int64_t width, ResizeFilter filter);

/// The same of one plane of floats [height * width], row-major, as Pillow's mode F: sums in double,
/// stored as float between the passes. Not clipped.
std::vector<float> resize_plane(std::span<const float> plane,
                                int64_t plane_height,
                                int64_t plane_width,
                                int64_t height,
                                int64_t width,
                                ResizeFilter filter);

/// Pixels [top, top + height) x [left, left + width). Throws Error(kInput) where they leave the
/// image.
Image cropped(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width);

}  // namespace kvscope
