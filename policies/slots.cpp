#include "policies/slots.h"

#include <algorithm>

namespace kvscope {

int64_t most_tokens(const LayerStep& layer_step) {
  int64_t most = 0;
  for (int64_t head = 0; head < layer_step.cache.plan().geometry().heads; ++head) {
    // All rows keep the same counts.
    most = std::max(most, layer_step.cache.length(layer_step.layer, 0, head));
  }
  return most + layer_step.step.queries();
}

}  // namespace kvscope
