#include "policies/score/packed_rows.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/attention_rows/attention_rows.h"
#include "policies/slots.h"

namespace kvscope {

at::Tensor sum_over_window(const LayerStep& layer_step,
                           const at::Tensor& packed,
                           int64_t window,
                           double fill) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = most_tokens(layer_step);
  const RaggedRows history = layer_step.cache.history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  if (offsets.back() == rows * heads * tokens) {  // all heads hold the same: one sum
    return packed.view({rows, heads, window, tokens}).sum(2, false, at::kFloat);
  }
  at::Tensor sums = at::full({rows, heads, tokens}, fill, layer_step.k.options().dtype(at::kFloat));
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    sums[slot / heads][slot % heads]
        .slice(0, 0, offsets[slot + 1] - offsets[slot])
        .copy_(rows_of_slot(packed, offsets, window, slot).sum(0, false, at::kFloat));
  }
  return sums;
}

at::Tensor current_tokens_mask(const LayerStep& layer_step, const std::vector<int64_t>& tokens) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = most_tokens(layer_step);
  at::Tensor mask = at::zeros({rows, heads, most}, at::kBool);
  bool* values = mask.mutable_data_ptr<bool>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t held = layer_step.cache.length(layer_step.layer, row, head);
      bool* line = values + (row * heads + head) * most;
      for (const int64_t token : tokens) {
        line[held + token] = true;
      }
      std::fill(line + held + layer_step.step.queries(), line + most, true);
    }
  }
  return mask.to(layer_step.k.device());
}

}  // namespace kvscope
