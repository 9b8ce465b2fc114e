#include "core/models/shared/cache_geometry.h"

#include <utility>

namespace kvscope {

CacheGeometry cache_geometry(const AttentionShape& shape,
                             std::vector<StepInfo> steps,
                             const CacheTypes& types) {
  return {.layers = shape.layers,
          .heads = shape.heads,
          .head_dim = shape.head_dim,
          .key_type = types.key,
          .value_type = types.value,
          .steps = std::move(steps),
          .step_type = types.step,
          .query_heads = shape.query_heads};
}

}  // namespace kvscope
