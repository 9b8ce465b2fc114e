#include "kernels/tile/key_blocks.h"

#include <algorithm>
#include <cmath>

namespace kvscope {

std::vector<KeyBlock> key_blocks(const at::Tensor& history_keys,
                                 c10::IntArrayRef begin,
                                 c10::IntArrayRef length,
                                 const at::Tensor& k,
                                 int64_t most_keys) {
  std::vector<KeyBlock> blocks;
  const int64_t heads = k.size(1);
  for (int64_t slot = 0; slot < k.size(0) * heads; ++slot) {
    KeyBlock block{.row = slot / heads, .head = slot % heads};
    for (int64_t j = 0; j < length[slot]; j += most_keys) {
      block.keys = rows_of(history_keys, begin[slot] + j);
      block.count = std::min(most_keys, length[slot] - j);
      block.column = j;
      blocks.push_back(block);
    }
    block.is_current = true;
    for (int64_t j = 0; j < k.size(2); j += most_keys) {
      block.keys = rows_of(k, block.row, block.head).from(j);
      block.count = std::min(most_keys, k.size(2) - j);
      block.column = length[slot] + j;
      block.token = j;
      blocks.push_back(block);
    }
  }
  return blocks;
}

int64_t first_hidden(const KeyBlock& block, int64_t query) {
  if (!block.is_current) return block.count;
  return std::clamp<int64_t>(query + 1 - block.token, 0, block.count);
}

void BlockScores::pack(const KeyBlock& block, float* panels) const {
  if (!few_) pack_transposed(block.keys, block.count, depth_, panels);
}

void BlockScores::multiply(const KeyBlock& block,
                           const float* panels,
                           const float* queries,
                           int64_t count,
                           float* scores) const {
  if (few_) {
    multiply_few(queries, count, block.keys, block.count, depth_, scores, row_stride_);
  } else {
    multiply_panels(queries, depth_, count, panels, depth_, round_to_panel(block.count), scores,
                    row_stride_, false);
  }
}

void hide_later_keys(const KeyBlock& block, int64_t query, float* row) {
  std::fill(row + first_hidden(block, query), row + round_to_panel(block.count), -INFINITY);
}

}  // namespace kvscope
