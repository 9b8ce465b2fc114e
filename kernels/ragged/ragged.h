#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace kvscope {

/// Ragged history of one layer: K and V rows of every (row, head) inside packed buffers.
/// Tokens of (row r, head h) are arena rows begin[r * heads + h] .. + length[r * heads + h].
struct RaggedRows {
  at::Tensor keys;                  ///< [arena rows, head_dim]
  at::Tensor values;                ///< [arena rows, head_dim]
  std::span<const int64_t> begin;   ///< [rows * heads]
  std::span<const int64_t> length;  ///< [rows * heads], may be 0
};

}  // namespace kvscope
