#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope {

/// Which two channels turn together.
enum class RotationPairs : uint8_t {
  kHalves,     ///< (j, j + head_dim / 2), as Llama and Janus
  kNeighbours  ///< (2 j, 2 j + 1), as LlamaGen and Infinity
};

/// How a model turns queries and keys by the positions of a generation (RoPE, arXiv:2104.09864):
/// cosines and sines [positions, head_dim / 2] fp32. Where both are zero, queries and keys become
/// zero vectors (LlamaGen's condition).
struct RotationTable {
  at::Tensor cosine;
  at::Tensor sine;
  RotationPairs pairs = RotationPairs::kHalves;
  /// Position p turns by p times the angles of position 1, so that rotations add up.
  bool is_line = false;
  /// Where a row is padded on the left: whether its positions count from its first real token, or
  /// from the padding.
  bool skips_padding = false;
};

/// The table on `device`.
RotationTable on_device(const RotationTable& table, at::Device device);

/// Rotation of some tokens: [rows or 1, heads or 1, tokens or 1, head_dim / 2] fp32.
struct Rotation {
  at::Tensor cosine;
  at::Tensor sine;
  RotationPairs pairs = RotationPairs::kHalves;
};

/// `positions` [rows or 1, tokens] int64 -> [rows or 1, 1, tokens, head_dim / 2].
Rotation at_positions(const RotationTable& table, const at::Tensor& positions);

/// The rotation that undoes this one; nothing where cosine and sine are zero. Exact for tables that
/// are interpolated, too, whose cosine and sine lie inside the unit circle.
Rotation inverse(const Rotation& rotation);

/// Rotates x [rows, heads, tokens, head_dim]. Halves turn in the type of x, cosine and sine rounded
/// to it; neighbours turn in fp32. Each as its reference does; the type of x is kept.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

}  // namespace kvscope
