#include "analysis/attention/step_groups.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kvscope {

std::vector<StepGroup> step_groups(const std::vector<StepInfo>& steps, int64_t line_tokens) {
  const int64_t tokens = std::ranges::count_if(
      steps, [](const StepInfo& step) { return step.kind == StepKind::kToken; });
  const bool has_lines = tokens > 0;
  const int64_t line =
      line_tokens > 0 ? line_tokens
                      : std::max<int64_t>(1, std::llround(std::sqrt(static_cast<double>(tokens))));
  const int64_t last = has_lines ? last_attending_step(steps) : std::ssize(steps) - 1;
  std::vector<StepGroup> groups;
  for (int64_t step = 0; step <= last; ++step) {
    const bool is_token = steps[step].kind == StepKind::kToken;
    const bool goes_on = is_token && !groups.empty() &&
                         steps[groups.back().first].kind == StepKind::kToken &&
                         step - groups.back().first < line;
    if (goes_on) {
      groups.back().last = step;
    } else {
      groups.push_back({step, step});
    }
  }
  return groups;
}

ArrayAxis step_group_axis(const std::vector<StepGroup>& groups) {
  Coordinate first{.name = "first_step"};
  Coordinate last{.name = "last_step"};
  for (const StepGroup& group : groups) {
    first.values.push_back(group.first);
    last.values.push_back(group.last);
  }
  return {.name = "step_group", .coordinates = {std::move(first), std::move(last)}};
}

std::vector<size_t> group_of_steps(const std::vector<StepGroup>& groups) {
  std::vector<size_t> of_step;
  for (size_t group = 0; group < groups.size(); ++group) {
    of_step.resize(static_cast<size_t>(groups[group].last) + 1, group);
  }
  return of_step;
}

}  // namespace kvscope
