#include "core/engine/layer_step.h"

namespace kvscope {

std::vector<int64_t> positions_of(const LayerStep& layer_step, int64_t row, int64_t head) {
  std::vector<int64_t> positions = layer_step.cache->positions(layer_step.layer, row, head);
  const StepInfo& step = layer_step.step;
  for (int64_t i = 0; i < step.queries(); ++i) positions.push_back(step.first_token + i);
  return positions;
}

}  // namespace kvscope
