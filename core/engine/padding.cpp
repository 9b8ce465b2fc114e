#include "core/engine/padding.h"

#include <ATen/core/Tensor.h>

#include "kernels/attention_rows/attention_rows.h"

namespace kvscope {

at::Tensor fill_padding(const at::Tensor& packed,
                        const LayerStep& layer_step,
                        int64_t window,
                        double value,
                        int64_t first_slot,
                        int64_t slots) {
  const KvCache& cache = layer_step.cache;
  if (!cache.has_padding()) return packed;
  const int64_t heads = cache.plan().geometry().heads;
  const RaggedRows history = cache.history(layer_step.layer);
  const std::vector<int64_t> offsets = column_offsets(
      history.length.subspan(static_cast<size_t>(first_slot), static_cast<size_t>(slots)),
      layer_step.step.queries());
  for (int64_t slot = 0; slot < slots; ++slot) {
    const int64_t row = (first_slot + slot) / heads;
    const int64_t head = (first_slot + slot) % heads;
    const at::Tensor columns = rows_of_slot(packed, offsets, window, slot);
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
                        int64_t window,
                        double value) {
  return fill_padding(packed, layer_step, window, value, 0,
                      layer_step.cache.rows() * layer_step.cache.plan().geometry().heads);
}

}  // namespace kvscope
