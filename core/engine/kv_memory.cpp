#include "core/engine/kv_memory.h"

#include <algorithm>

namespace kvscope {

int64_t step_bytes(const CacheGeometry& geometry, const StepInfo& step, int64_t rows) {
  const auto element = static_cast<int64_t>(c10::elementSize(geometry.step_type));
  return 2 * rows * geometry.heads * step.queries() * geometry.head_dim * element;
}

int64_t max_step_bytes(const CacheGeometry& geometry, int64_t rows, EvictionTiming timing) {
  int64_t most = 0;
  for (const StepInfo& step : geometry.steps) {
    const int64_t waiting = timing == EvictionTiming::kPerStep && step.stored ? geometry.layers : 0;
    most = std::max(most, (1 + waiting) * step_bytes(geometry, step, rows));
  }
  return most;
}

int64_t peak_kv_bytes(const Plan& plan, int64_t rows, const KvTransients& transients) {
  const CacheGeometry& geometry = plan.geometry();
  const bool per_step = transients.eviction_timing == EvictionTiming::kPerStep;
  const int64_t key_bytes =
      geometry.head_dim * static_cast<int64_t>(c10::elementSize(geometry.key_type));
  const int64_t token_bytes =
      key_bytes + geometry.head_dim * static_cast<int64_t>(c10::elementSize(geometry.value_type));
  int64_t live = 0;
  int64_t most = 0;
  for (int64_t step = 0; step <= last_attending_step(geometry.steps); ++step) {
    const StepInfo& info = geometry.steps[static_cast<std::size_t>(step)];
    const int64_t own = step_bytes(geometry, info, rows);
    const int64_t of_all = per_step && info.stored ? geometry.layers * own : 0;
    int64_t after = live;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      const int64_t before = step == 0 ? 0 : plan.layer_bytes(step - 1, layer);
      int64_t copied = 0;
      if (transients.turned_keys && step > 0) {
        copied = own / 2 + rows * plan.layer_capacity(layer) * key_bytes;
      } else if (transients.copied_tokens && step > 0) {
        copied = rows * transients.copied_tokens(info, layer).value_or(0) * token_bytes;
      }
      // The first layer attends before there is anything that waits.
      const int64_t waiting = layer == 0 ? 0 : of_all;
      most = std::max(most, rows * (per_step ? live : after) + own + waiting + copied);
      after += plan.layer_bytes(step, layer) - before;
      if (!per_step) most = std::max(most, rows * after + own);
    }
    most = std::max(most, rows * std::max(live, after) + own + of_all);
    live = after;
  }
  return most + plan.scratch_bytes(rows);
}

}  // namespace kvscope
