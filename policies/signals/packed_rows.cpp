#include "policies/signals/packed_rows.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/attention_rows/attention_rows.h"
#include "policies/slots.h"

namespace kvscope {

at::Tensor sum_over_lines(const LayerStep& layer_step,
                          const at::Tensor& packed,
                          int64_t lines,
                          double fill) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  if (offsets.back() == rows * heads * tokens) {  // all heads hold the same: one sum
    return packed.view({rows, heads, lines, tokens}).sum(2, false, at::kFloat);
  }
  at::Tensor sums = at::full({rows, heads, tokens}, fill, layer_step.k.options().dtype(at::kFloat));
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    sums[slot / heads][slot % heads]
        .slice(0, 0, offsets[slot + 1] - offsets[slot])
        .copy_(rows_of_slot(packed, offsets, lines, slot).sum(0, false, at::kFloat));
  }
  return sums;
}

at::Tensor unpacked_rows(const LayerStep& layer_step,
                         const at::Tensor& packed,
                         int64_t lines,
                         double fill) {
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t tokens = max_tokens(layer_step);
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  if (offsets.back() == rows * heads * tokens) return packed.view({rows, heads, lines, tokens});
  at::Tensor unpacked = at::full({rows, heads, lines, tokens}, fill, packed.options());
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    const at::Tensor own = rows_of_slot(packed, offsets, lines, slot);
    unpacked[slot / heads][slot % heads].slice(1, 0, own.size(1)).copy_(own);
  }
  return unpacked;
}

at::Tensor mean_over_group(const LayerStep& layer_step, const at::Tensor& packed) {
  const int64_t group = layer_step.group();
  if (group == 1) return packed;
  const RaggedRows history = layer_step.cache->history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(history.length, layer_step.step.queries());
  std::vector<at::Tensor> means;
  for (int64_t slot = 0; slot < std::ssize(history.length); ++slot) {
    means.push_back(rows_of_slot(packed, offsets, group, slot).mean(0));
  }
  return at::cat(means);
}

at::Tensor by_query_head(const LayerStep& layer_step, const at::Tensor& lines) {
  return lines.unflatten(2, {layer_step.group(), -1});
}

at::Tensor positions_mask(const LayerStep& layer_step, const std::vector<int64_t>& positions) {
  const KvCache& cache = *layer_step.cache;
  const StepInfo& step = layer_step.step;
  const auto& steps = cache.plan().geometry().steps;
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = max_tokens(layer_step);
  at::Tensor mask = at::zeros({rows, heads, most}, at::kBool);
  bool* values = mask.mutable_data_ptr<bool>();
  for (int64_t slot = 0; slot < rows * heads; ++slot) {
    const auto origins = cache.origins(layer_step.layer, slot / heads, slot % heads);
    bool* line = values + slot * most;
    for (const int64_t position : positions) {
      if (position >= step.first_token) {
        line[std::ssize(origins) + position - step.first_token] = true;
      }
    }
    if (positions.empty() || positions.front() >= step.first_token) continue;
    for (const TokenOrigin& origin : origins) {
      *line++ = std::ranges::binary_search(positions, position_of(origin, steps));
    }
  }
  return mask.to(layer_step.k.device());
}

at::Tensor absent_mask(const LayerStep& layer_step) {
  const KvCache& cache = *layer_step.cache;
  const int64_t rows = layer_step.k.size(0);
  const int64_t heads = layer_step.k.size(1);
  const int64_t most = max_tokens(layer_step);
  at::Tensor mask = at::zeros({rows, heads, most}, at::kBool);
  bool* line = mask.mutable_data_ptr<bool>();
  for (int64_t slot = 0; slot < rows * heads; ++slot, line += most) {
    const int64_t row = slot / heads;
    const int64_t held = cache.length(layer_step.layer, row, slot % heads);
    std::fill(line + held + layer_step.step.queries(), line + most, true);
    if (cache.has_padding()) {
      std::fill_n(line, cache.padding_length(layer_step.layer, row, slot % heads), true);
      std::fill_n(line + held, cache.padding_of_step(layer_step.step, row), true);
    }
  }
  return mask.to(layer_step.k.device());
}

}  // namespace kvscope
