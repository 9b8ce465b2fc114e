#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/base/image.h"

namespace kvscope {

/// How a picture becomes a CLIP's square. Features of two conventions differ.
enum class ClipInput {
  kOpenAi,        ///< OpenAI, open_clip: Pillow bicubic on bytes, crop at half of the rest, rounded
                  ///< half to even
  kTransformers,  ///< transformers' processor: the crop at half of the rest, rounded down
  kTransformersFast,  ///< its fast one: bytes resized as a tensor, cropped likewise
  kTensor,            ///< HPSv2 from torchvision 0.17 on: floats resized with antialiasing
  kTensorNoAntialias  ///< HPSv2 before torchvision 0.17
};

/// The short side at `side` pixels, the long one in proportion (rounded down), by Pillow.
Image clip_resized(const Image& image, int64_t side);
/// The middle square of an image whose short side is `side`.
Image clip_cropped(const Image& resized, int64_t side, ClipInput input);

/// [1, 3, side, side]: resized, cropped, the bytes divided by 255, less the mean, divided by the
/// deviation of CLIP's training set.
at::Tensor clip_pixels(const Image& image, int64_t side, ClipInput input);

}  // namespace kvscope
