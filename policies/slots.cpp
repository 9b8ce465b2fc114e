#include "policies/slots.h"

#include <algorithm>
#include <limits>

namespace kvscope {

int64_t max_tokens(const LayerStep& layer_step) {
  int64_t most = 0;
  for (const int64_t length : layer_step.cache->history(layer_step.layer).length) {
    most = std::max(most, length);
  }
  return most + layer_step.step.queries();
}

int64_t tightest_count(const LayerStep& layer_step) {
  const Plan& plan = layer_step.cache->plan();
  int64_t least = std::numeric_limits<int64_t>::max();
  for (int64_t layer = 0; layer < plan.geometry().layers; ++layer) {
    for (int64_t head = 0; head < plan.geometry().heads; ++head) {
      least = std::min(least, plan.kept(layer_step.step.index, layer, head));
    }
  }
  return least;
}

int64_t condition_tokens(const std::vector<StepInfo>& steps) {
  int64_t tokens = 0;
  for (const StepInfo& step : steps) {
    if (step.kind == StepKind::kPrefill) tokens += step.queries();
  }
  return tokens;
}

}  // namespace kvscope
