#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "core/base/image.h"

namespace kvscope {

/// How a level between two of the 256 becomes one of them.
enum class PixelRounding { kTruncate, kNearest };

/// [B, 3, H, W], clamped to [-1, 1] -> 8-bit images: (x + 1) / 2 * 255, rounded as asked.
/// References differ: Infinity and Janus truncate, LlamaGen takes the nearest.
std::vector<Image> to_images(const at::Tensor& decoded,
                             PixelRounding rounding = PixelRounding::kTruncate);

/// The inverse, for images of one size: [B, 3, H, W] fp32 in [-1, 1].
at::Tensor from_images(std::span<const Image> images);

}  // namespace kvscope
