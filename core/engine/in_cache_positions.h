#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/layer_step.h"
#include "core/engine/rotation.h"

namespace kvscope {

/// What a step sees with every (row, head)'s tokens turned to positions 0, 1, 2, ... along the
/// cache, the current step behind them. Values and the cache stay as they are.
struct InCacheKeys {
  at::Tensor q;                ///< [rows, query heads, queries, head_dim]
  at::Tensor k;                ///< [rows, heads, queries, head_dim]
  at::Tensor keys;             ///< [rows of the layer's region, head_dim] a turned copy
  at::Tensor values;           ///< likewise, a view of the arena
  std::vector<int64_t> begin;  ///< [rows * heads]
  std::vector<int64_t> length;

  [[nodiscard]] RaggedRows history() const {
    return {.keys = keys, .values = values, .begin = begin, .length = length};
  }
};

/// Turns by the difference of positions: R(i) k = R(i - p) R(p) k on a line. Padding has no
/// position. StreamingLLM (arXiv:2309.17453) stores unturned keys and turns all of them at each
/// use, to the same effect; here the stored keys stay those of every other policy, and no rounding
/// adds up from step to step. Transient: one copy of a layer's keys.
InCacheKeys at_in_cache_positions(const KvCache& cache,
                                  const RotationTable& table,
                                  const AttentionInputs& inputs);

/// `keys` [heads, tokens, head_dim] turned back from `positions` [tokens] to 0, 1, 2, ...; fp32.
at::Tensor at_packed_positions(const at::Tensor& keys,
                               const RotationTable& table,
                               const at::Tensor& positions);

}  // namespace kvscope
