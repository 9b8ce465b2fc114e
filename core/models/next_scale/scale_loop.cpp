#include "core/models/next_scale/scale_loop.h"

#include <ATen/ATen.h>

#include <chrono>

#include "core/base/clock.h"
#include "core/device/work_profile.h"

namespace kvscope {

std::vector<StepTimes> run_scales(
    AttentionContext& context,
    std::span<const at::Generator> generators,
    const std::function<void(const StepInfo& step, const SelfAttention& attend)>& scale,
    const std::function<void(const StepInfo& step, const StepTimes& times)>& after) {
  begin_generation(context, generators);
  std::vector<StepTimes> times;
  for (const StepInfo& step : context.cache.plan().geometry().steps) {
    const auto start = std::chrono::steady_clock::now();
    const double attention_before = context.attention_clock.total_ms();
    const double policy_before = context.policy_clock.total_ms();
    const SelfAttention attend_step = [&](int64_t layer, const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const at::Tensor& hidden,
                                          const at::Tensor& query_weight) {
      return attend(context, step, layer, q, k, v, 1.0, hidden, query_weight);
    };
    {
      const WorkMark mark(WorkMark::kStep);
      scale(step, attend_step);
    }
    times.push_back({.step_ms = milliseconds_since(start),
                     .attention_ms = context.attention_clock.total_ms() - attention_before,
                     .policy_ms = context.policy_clock.total_ms() - policy_before});
    if (after) after(step, times.back());
  }
  return times;
}

}  // namespace kvscope
