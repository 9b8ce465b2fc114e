#pragma once

#include <ATen/core/Tensor.h>

#include "core/engine/rotation.h"
#include "core/models/infinity/config.h"

namespace kvscope::infinity {

/// Position of grid index `index` of `size` in a rope grid of `grid` (mode 2): round(index * grid /
/// size) with halves to even, exact in integers.
int64_t rope_position(int64_t index, int64_t size, int64_t grid);

/// 2-D RoPE of scale `si`, [tokens, head_dim / 2] fp32: the lower half of the channels turns by y,
/// the upper by x, interleaved pairs (2p, 2p + 1), frequencies 10000^(-2m / (head_dim / 2)).
Rotation scale_rotation(const TransformerConfig& config, const ImageGeometry& image, int64_t si);

/// All scales of the schedule after one another: one row per token of the generation.
RotationTable rotation_table(const TransformerConfig& config,
                             const ImageGeometry& image,
                             at::Device device);

}  // namespace kvscope::infinity
