#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <vector>

#include "kernels/tile/tile.h"

namespace kvscope {

/// Up to `most_keys` adjacent keys of one slot: the unit of work of the key-stationary kernels.
struct KeyBlock {
  RowSource keys = {};
  int64_t count = 0;
  int64_t row = 0;
  int64_t head = 0;
  int64_t column = 0;       ///< of the first key in [history | current] of its slot
  bool is_current = false;  ///< keys of the current step; then
  int64_t token = 0;        ///< the first one's position in the step, for causal visibility
};

/// Every key of [history | current] of every slot once, in order of slot and column.
/// `k` [rows, heads, tokens, head_dim] with adjacent channels.
std::vector<KeyBlock> key_blocks(const at::Tensor& history_keys,
                                 c10::IntArrayRef begin,
                                 c10::IntArrayRef length,
                                 const at::Tensor& k,
                                 int64_t most_keys);

/// First key of `block` that query `query` does not see under a causal mask; block.count if it sees
/// all of them.
int64_t first_hidden(const KeyBlock& block, int64_t query);

}  // namespace kvscope
