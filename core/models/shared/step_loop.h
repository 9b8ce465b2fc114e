#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/attend.h"
#include "core/models/shared/generation_times.h"
#include "core/models/shared/self_attention.h"

namespace kvscope {

/// What a model brings to a generation.
struct StepLoop {
  std::span<const at::Generator> generators = {};  ///< one per image: they name the rows
  /// How the model turns queries and keys by position; none where it does not.
  std::optional<RotationTable> rotation = std::nullopt;
  std::vector<int64_t> padding = {};  ///< [rows] left padding of the prefill in tokens; empty: none
  double softmax_scale = 1.0;
  /// Computes and samples one step of the cache's plan, its layers attending through `attend`.
  std::function<void(const StepInfo& step, const SelfAttention& attend)> step;
  /// Looks at the finished step outside its clock.
  std::function<void(const StepInfo& step, const StepTimes& times)> after = {};
};

/// The loop of every model: from an empty cache, all steps of its plan that attend. A last token
/// has been sampled by the step before and is read by nobody: its step is not computed.
GenerationTimes run_steps(AttentionContext& context, const StepLoop& loop);

}  // namespace kvscope
