#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/checkpoint/tensor_map.h"
#include "core/models/vq/vq_config.h"

namespace kvscope {

/// Token ids [B, h, w] -> images [B, 3, h * stride, w * stride] nominally in [-1, 1] but
/// not clamped. `tensors` holds the decoder, `post_quant_conv` and the codebook below `prefix`, in
/// the published names or the Hugging Face-native ones ("decoder.up.0.block.0..."), in any floating
/// type; the arithmetic, and the result, is of type `type`. Decodes `images_at_once` at a time, so
/// that the working memory does not grow with the batch; with 1 an image is bit for bit what it is
/// alone. Throws Error(kInput) for missing tensors, wrong shapes (both listed) and ids outside the
/// codebook.
at::Tensor vq_decode(const VqConfig& config,
                     const TensorMap& tensors,
                     const at::Tensor& ids,
                     const std::string& prefix,
                     int64_t images_at_once = 1,
                     at::ScalarType type = at::kFloat);

/// The network alone, for training too: codes [B, code_width, h, w] -> images as above.
/// `weights` has the published names without prefix, as resolve_vq() gives them.
at::Tensor vq_decode_codes(const VqConfig& config,
                           const TensorMap& weights,
                           const at::Tensor& codes);

/// The end of it: what enters "decoder.conv_blocks.{first_block}", block 0 being the coarsest ->
/// images.
at::Tensor vq_decode_from(const VqConfig& config,
                          const TensorMap& weights,
                          const at::Tensor& input,
                          int64_t first_block);

}  // namespace kvscope
