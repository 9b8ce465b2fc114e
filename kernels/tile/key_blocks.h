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

/// Products of queries with the keys of one block, either way the tiles know: a few queries read
/// the keys as they lie, more of them want the keys packed once.
class BlockScores {
 public:
  /// Rows of scores lie `row_stride` apart, at least the largest block's keys rounded to a panel.
  BlockScores(int64_t queries, int64_t depth, int64_t row_stride)
      : few_(queries <= kFewQueries), depth_(depth), row_stride_(row_stride) {}

  /// Packs the block's keys into `panels` [row_stride * depth] where that pays.
  void pack(const KeyBlock& block, float* panels) const;
  /// scores[i, j] of `count` scaled queries [count, depth]. Columns behind the block's keys, up to
  /// a whole panel, are written too and mean nothing.
  void multiply(const KeyBlock& block,
                const float* panels,
                const float* queries,
                int64_t count,
                float* scores) const;

 private:
  bool few_;
  int64_t depth_;
  int64_t row_stride_;
};

/// Puts -infinity where `query` does not see a key of `block`, up to a whole panel.
void hide_later_keys(const KeyBlock& block, int64_t query, float* row);

}  // namespace kvscope
