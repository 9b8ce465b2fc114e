#include "core/engine/step.h"

namespace kvscope {

std::vector<StepInfo> next_scale_steps(const std::vector<std::pair<int64_t, int64_t>>& schedule) {
  std::vector<StepInfo> steps;
  int64_t first_token = 0;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const auto [height, width] = schedule[i];
    steps.push_back({.kind = StepKind::kScale,
                     .index = static_cast<int64_t>(i),
                     .grid_height = height,
                     .grid_width = width,
                     .first_token = first_token,
                     .stored = i + 1 < schedule.size()});
    first_token += height * width;
  }
  return steps;
}

int64_t full_cache_tokens(const std::vector<StepInfo>& steps) {
  return steps.empty() ? 0 : steps.back().first_token;
}

}  // namespace kvscope
