#include "core/engine/padding.h"

#include <ATen/ATen.h>

#include "kernels/attention_rows/attention_rows.h"

namespace kvscope {
namespace {

/// Those of 0 .. held - 1 that are not among the ascending `attended`.
at::Tensor left_out(const std::vector<int64_t>& attended, int64_t held) {
  std::vector<int64_t> indices;
  auto next = attended.begin();
  for (int64_t index = 0; index < held; ++index) {
    if (next != attended.end() && *next == index) {
      ++next;
    } else {
      indices.push_back(index);
    }
  }
  return at::tensor(indices, at::kLong);
}

}  // namespace

at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t lines,
                        double value,
                        int64_t first_slot,
                        int64_t slots) {
  const KvCache& cache = *layer_step.cache;
  if (!cache.has_padding() && layer_step.attended == nullptr) return packed;
  const int64_t heads = cache.plan().geometry().heads;
  const RaggedRows history = cache.history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(
      history.length.subspan(static_cast<size_t>(first_slot), static_cast<size_t>(slots)),
      layer_step.step.queries());
  for (int64_t slot = 0; slot < slots; ++slot) {
    const int64_t row = (first_slot + slot) / heads;
    const int64_t head = (first_slot + slot) % heads;
    const at::Tensor columns = rows_of_slot(packed, offsets, lines, slot);
    if (layer_step.attended != nullptr) {
      const auto at = static_cast<size_t>(first_slot + slot);
      const at::Tensor index = left_out((*layer_step.attended)[at], history.length[at]);
      columns.index_fill_(1, index.to(columns.device()), value);
    }
    if (!cache.has_padding()) continue;
    columns.narrow(1, 0, cache.padding_length(layer_step.layer, row, head)).fill_(value);
    columns
        .narrow(1, cache.length(layer_step.layer, row, head),
                cache.padding_of_step(layer_step.step, row))
        .fill_(value);
  }
  return packed;
}

at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t lines,
                        double value) {
  return fill_padding(packed, layer_step, lines, value, 0,
                      layer_step.cache->rows() * layer_step.cache->plan().geometry().heads);
}

}  // namespace kvscope
