#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/plan.h"

namespace kvscope {

/// What of a transformer its cache depends on.
struct AttentionShape {
  int64_t layers = 0;
  int64_t heads = 0;            ///< of keys and values
  int64_t query_heads = heads;  ///< a multiple of them
  int64_t head_dim = 0;
};

/// Types that keys and values are stored in, and that a step's are computed in.
struct CacheTypes {
  at::ScalarType key = at::kFloat;
  at::ScalarType value = at::kFloat;
  at::ScalarType step = at::kFloat;
};

/// The cache of a transformer over the steps of a generation.
CacheGeometry cache_geometry(const AttentionShape& shape,
                             std::vector<StepInfo> steps,
                             const CacheTypes& types = {});

}  // namespace kvscope
