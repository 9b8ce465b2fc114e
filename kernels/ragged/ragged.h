#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Ragged history of one layer: K and V rows of every (row, head) inside packed buffers.
/// Tokens of (row r, head h) are arena rows begin[r * heads + h] .. + length[r * heads + h].
///
/// Heads are key/value heads throughout. Queries may have more, a multiple of them: under
/// grouped-query attention (Ainslie et al., arXiv:2305.13245) query head i reads key/value head
/// i / group, group = query heads / heads, which is 1 where every query head has keys of its own.
/// Nothing repeats keys or values.
struct RaggedRows {
  at::Tensor keys;                  ///< [arena rows, head_dim]
  at::Tensor values;                ///< [arena rows, head_dim]
  std::span<const int64_t> begin;   ///< [rows * heads]
  std::span<const int64_t> length;  ///< [rows * heads], may be 0
};

/// Where the columns [history | current] of slot row * heads + head lie in a packed result:
/// [rows * heads + 1], offsets[s + 1] - offsets[s] = length[s] + current_tokens.
std::vector<int64_t> column_offsets(std::span<const int64_t> length, int64_t current_tokens);

}  // namespace kvscope
