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

std::vector<StepInfo> next_token_steps(int64_t condition_tokens, int64_t image_tokens) {
  std::vector<StepInfo> steps{{.kind = StepKind::kPrefill, .grid_width = condition_tokens}};
  steps.reserve(static_cast<std::size_t>(image_tokens) + 1);
  for (int64_t token = 0; token < image_tokens; ++token) {
    steps.push_back({.kind = StepKind::kToken,
                     .index = token + 1,
                     .first_token = condition_tokens + token,
                     .stored = token + 1 < image_tokens});
  }
  return steps;
}

int64_t last_attending_step(const std::vector<StepInfo>& steps) {
  const auto last = static_cast<int64_t>(steps.size()) - 1;
  const bool never_fed = last > 0 && steps.back().kind == StepKind::kToken && !steps.back().stored;
  return never_fed ? last - 1 : last;
}

int64_t full_cache_tokens(const std::vector<StepInfo>& steps) {
  return steps.empty() ? 0 : steps.back().first_token;
}

}  // namespace kvscope
