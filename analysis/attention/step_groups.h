#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/step.h"

namespace kvscope {

/// Steps that belong together: a scale of a next-scale model, a line of a next-token model.
struct StepGroup {
  int64_t first = 0;
  int64_t last = 0;
  bool operator==(const StepGroup&) const = default;
};

/// Every scale and the prefill by itself, the tokens of a next-token model `line_tokens` together
/// (0: the side of a square image); without a last token that is never fed.
std::vector<StepGroup> step_groups(const std::vector<StepInfo>& steps, int64_t line_tokens = 0);

/// "step_group": coordinates first_step and last_step.
ArrayAxis step_group_axis(const std::vector<StepGroup>& groups);

/// [last attending step + 1] which group a step is of.
std::vector<size_t> group_of_steps(const std::vector<StepGroup>& groups);

}  // namespace kvscope
