#include "core/models/shared/step_loop.h"

#include <ATen/core/Tensor.h>

#include <chrono>

#include "core/base/clock.h"
#include "core/device/work_profile.h"

namespace kvscope {

GenerationTimes run_steps(AttentionContext& context, const StepLoop& loop) {
  begin_generation(context, loop.generators);
  context.rotation = loop.rotation;
  if (!loop.padding.empty()) context.cache.set_padding(loop.padding);
  const std::vector<StepInfo>& steps = context.cache.plan().geometry().steps;
  const int64_t last = last_attending_step(steps);
  GenerationTimes times;
  for (const StepInfo& step : steps) {
    if (step.index > last) {
      times.step_ms.push_back(0);
      continue;
    }
    // To ask the clocks of a device is to wait for it: only where somebody wants a step's own.
    const auto so_far = [&](WorkClock& clock) { return loop.after ? clock.total_ms() : 0.0; };
    const double attention_before = so_far(context.attention_clock);
    const double policy_before = so_far(context.policy_clock);
    const auto start = std::chrono::steady_clock::now();
    const SelfAttention attend_step = [&](int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const at::Tensor& hidden,
                                          const at::Tensor& query_weight) {
      return attend(context, {.step = step,
                              .layer = layer,
                              .q = q,
                              .k = k,
                              .v = v,
                              .softmax_scale = loop.softmax_scale,
                              .hidden = hidden,
                              .query_weight = query_weight});
    };
    {
      const WorkMark mark(WorkMark::kStep);
      loop.step(step, attend_step);
    }
    times.step_ms.push_back(milliseconds_since(start));
    if (!loop.after) continue;
    loop.after(step, {.step_ms = times.step_ms.back(),
                      .attention_ms = so_far(context.attention_clock) - attention_before,
                      .policy_ms = so_far(context.policy_clock) - policy_before});
  }
  times.attention_ms = context.attention_clock.total_ms();
  times.policy_ms = context.policy_clock.total_ms();
  return times;
}

}  // namespace kvscope
