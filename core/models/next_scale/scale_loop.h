#pragma once

#include <functional>
#include <vector>

#include "core/engine/attend.h"
#include "core/models/next_scale/layers.h"

namespace kvscope {

/// Clocks of one step, in milliseconds.
struct StepTimes {
  double step_ms = 0;
  double attention_ms = 0;  ///< part of step_ms in attention kernels
  double policy_ms = 0;     ///< part of step_ms deciding and compacting
};

/// The loop of every next-scale model: from an empty cache, `scale` computes and samples one step
/// of the cache's plan, its layers attending through `attend` (softmax scale 1); `after` looks at
/// the finished step outside its clock. `generators`, one an image, name the rows. Returns the
/// clocks of all steps.
std::vector<StepTimes> run_scales(
    AttentionContext& context,
    std::span<const at::Generator> generators,
    const std::function<void(const StepInfo& step, const SelfAttention& attend)>& scale,
    const std::function<void(const StepInfo& step, const StepTimes& times)>& after = {});

}  // namespace kvscope
