#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/engine/plan.h"

namespace kvscope {

/// Bytes of K and V of one step of a layer as the model computes them, `rows` rows: what exists
/// beside the cache while the layer attends.
int64_t step_bytes(const CacheGeometry& geometry, const StepInfo& step, int64_t rows);

/// Of the largest step, with what waits of the other layers under kPerStep.
int64_t max_step_bytes(const CacheGeometry& geometry, int64_t rows, EvictionTiming timing);

/// What exists beside the tokens held.
struct KvTransients {
  EvictionTiming eviction_timing = EvictionTiming::kPerLayer;
  /// Attention reads a copy of a layer's keys, turned to their positions in the cache
  /// (KeyPositions::kInCache).
  bool turned_keys = false;
  /// Tokens, of the heads of a row together, that a step of a layer sees a copy of
  /// (Reading::tokens); nullopt, or no function: it sees them all where they are.
  std::function<std::optional<int64_t>(const StepInfo& step, int64_t layer)> copied_tokens{};
};

/// The closed form of AttentionContext::kv_peak_bytes after a generation of `rows` rows: the
/// largest, over steps and layers, of the tokens held, that layer's step before anything is
/// evicted, under kPerStep the step of all layers, the copies that attention reads, and the scratch
/// of a packed format.
int64_t peak_kv_bytes(const Plan& plan, int64_t rows, const KvTransients& transients = {});

}  // namespace kvscope
