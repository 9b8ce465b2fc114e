#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/kv_cache.h"

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

/// Copies the `attended` tokens of every (row, head): indices into what it holds, ascending.
/// Padding among them is not seen by anybody: no slot's begin and length take it in. Throws
/// Error(kAudit) where they do not fit the cache.
AttendedHistory attended_history(const KvCache& cache, int64_t layer, const KeptIndices& attended);

}  // namespace kvscope
