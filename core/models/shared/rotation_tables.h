#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/engine/rotation.h"

namespace kvscope {

/// theta^(-2 j / channels), j = 0 .. channels / 2 - 1, in fp32 as the references compute them.
at::Tensor rotation_frequencies(int64_t channels, double theta);

/// Angles on a grid: token (y, x) turns the lower half of its pairs by y[y] f_j and the upper half
/// by x[x] f_j. `y` [h], `x` [w] and `frequencies` [f] fp32 -> [h, w, 2 f].
at::Tensor grid_angles(const at::Tensor& y, const at::Tensor& x, const at::Tensor& frequencies);

/// RoPE along a line (Su et al., arXiv:2104.09864): pair j of position p turns by
/// p * theta^(-2 j / head_dim).
RotationTable line_rotation(int64_t positions, int64_t head_dim, double theta);

/// LlamaGen's RoPE on a grid: position condition_tokens + y * width + x turns the lower half of the
/// pairs by y f_j and the upper half by x f_j, f_j = theta^(-2 j / (head_dim / 2)), neighbouring
/// channels. Rows of condition tokens are zero, cosine too: their queries and keys become zero
/// vectors. head_dim must be a multiple of 4.
RotationTable grid_rotation(
    int64_t condition_tokens, int64_t height, int64_t width, int64_t head_dim, double theta);

}  // namespace kvscope
