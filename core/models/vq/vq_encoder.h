#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/checkpoint/tensor_map.h"
#include "core/models/vq/vq_config.h"

namespace kvscope {

/// The network alone, for training too: images [B, 3, H, W] in [-1, 1], sides multiples of the
/// stride -> features [B, code_width, H / stride, W / stride], not normalised. `weights` has the
/// published names without prefix, as resolve_vq() gives them.
at::Tensor vq_encode_features(const VqConfig& config,
                              const TensorMap& weights,
                              const at::Tensor& images);

/// Images as above -> token ids [B, H / stride, W / stride] int64; `tensors`, `prefix` and
/// `images_at_once` as for vq_decode().
at::Tensor vq_encode(const VqConfig& config,
                     const TensorMap& tensors,
                     const at::Tensor& images,
                     const std::string& prefix,
                     int64_t images_at_once = 1);

}  // namespace kvscope
