#pragma once

#include <cstdint>

#include "core/engine/plan.h"

namespace kvscope {

/// Bytes of K and V of one step of a layer as the model computes them, `rows` rows: what exists
/// beside the cache while the layer attends.
int64_t step_bytes(const CacheGeometry& geometry, const StepInfo& step, int64_t rows);

/// Of the largest step.
int64_t most_step_bytes(const CacheGeometry& geometry, int64_t rows);

/// The closed form of AttentionContext::kv_peak_bytes after a generation of `rows` rows: the
/// largest, over steps and layers, of the tokens held (layers store one after the other), that
/// layer's step before it is cut, and the scratch of a packed format. `turned_keys`: attention
/// reads a layer's keys turned to their positions in the cache (KeyPositions::kInCache), a copy of
/// them.
int64_t peak_kv_bytes(const Plan& plan, int64_t rows, bool turned_keys = false);

}  // namespace kvscope
