#pragma once

#include <ATen/core/Tensor.h>

#include "core/base/image.h"

namespace kvscope {

/// [1, 3, height, width] of an image's bytes, 0..255, as `dtype`.
at::Tensor image_tensor(const Image& image, at::ScalarType dtype = at::kFloat);

/// [height, width, 3] of 8 bits as an image. Throws Error(kInput) for another shape.
Image image_of_tensor(const at::Tensor& bytes);

}  // namespace kvscope
