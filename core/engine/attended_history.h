#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/kv_cache.h"
#include "core/engine/layer_step.h"

namespace kvscope {

/// The part of a layer's history that a step sees where it does not see all of it: a copy.
struct AttendedHistory {
  at::Tensor keys;             ///< [tokens of all slots, head_dim]
  at::Tensor values;           ///< likewise
  std::vector<int64_t> begin;  ///< [rows * heads]
  std::vector<int64_t> length;

  [[nodiscard]] RaggedRows history() const {
    return {.keys = keys, .values = values, .begin = begin, .length = length};
  }
};

/// Copies the tokens of every (row, head) that `reading` sees, which are not all. Padding among
/// them is not seen by anybody: no slot's begin and length take it in. Where the copy is as large
/// as all that is held, what is not seen stands behind what is. Throws Error(kAudit) where the
/// tokens do not fit the cache.
AttendedHistory attended_history(const KvCache& cache, int64_t layer, const Reading& reading);

}  // namespace kvscope
