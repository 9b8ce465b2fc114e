#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope::next_token {

/// Which two channels turn together.
enum class RotationPairs : uint8_t {
  kHalves,     ///< (j, j + head_dim / 2), as Llama and Janus
  kNeighbours  ///< (2 j, 2 j + 1), as LlamaGen
};

/// Cosines and sines of positions, made once for a model: [positions, head_dim / 2] fp32.
struct RotationTable {
  at::Tensor cosine;
  at::Tensor sine;
  RotationPairs pairs = RotationPairs::kHalves;
};

/// RoPE along a line (Su et al., arXiv:2104.09864): pair j of position p turns by
/// p * theta^(-2 j / head_dim).
RotationTable line_rotation(int64_t positions, int64_t head_dim, double theta);

/// LlamaGen's RoPE on a grid: position condition_tokens + y * width + x turns the lower half of the
/// pairs by y f_j and the upper half by x f_j, f_j = theta^(-2 j / (head_dim / 2)), neighbouring
/// channels. Rows of condition tokens are zero, cosine too: their queries and keys become zero
/// vectors. head_dim must be a multiple of 4.
RotationTable grid_rotation(
    int64_t condition_tokens, int64_t height, int64_t width, int64_t head_dim, double theta);

/// The table on `device`.
RotationTable on_device(const RotationTable& table, at::Device device);

/// Rotation of a step's tokens: [rows or 1, 1, tokens, head_dim / 2] fp32.
struct Rotation {
  at::Tensor cosine;
  at::Tensor sine;
  RotationPairs pairs = RotationPairs::kHalves;
};

/// `positions` [rows or 1, tokens] int64.
Rotation at_positions(const RotationTable& table, const at::Tensor& positions);

/// Rotates x [rows, heads, tokens, head_dim]. Halves turn in the type of x, cosine and sine rounded
/// to it; neighbours turn in fp32. Each as its reference does; the type of x is kept.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

}  // namespace kvscope::next_token
