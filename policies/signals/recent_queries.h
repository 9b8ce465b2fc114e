#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// The queries of a generation's last tokens, layer by layer, so that a score can look from more
/// than the current step where a step has one query (SnapKV arXiv:2404.14469, R-KV
/// arXiv:2505.24133 remember them across evictions). One ring a layer, allocated at its first step
/// and written in place from then on.
///
/// A query looks at what its layer holds now, not at what it held when the query was made. On
/// next-token models it sees keys up to its own position. On next-scale models the window lies
/// within the current step, all of whose queries see everything.
class RecentQueries {
 public:
  /// Remembers `window` >= 1 tokens per layer.
  explicit RecentQueries(int64_t window);

  /// Forgets every query; the rings stay.
  void begin_generation();
  /// Remembers the layer's last queries as used. Call it once for every layer of every step.
  void observe(const LayerStep& layer_step);

  /// Positions in the generation of the last `window` tokens as far as they are remembered,
  /// ascending: the lines that logits() and attention() return of a query head. Throws
  /// Error(kAudit) where `window` is not in 1..the constructor's, or the layer's current step was
  /// not observed.
  [[nodiscard]] std::vector<int64_t> positions(const LayerStep& layer_step, int64_t window) const;
  /// softmax_scale * q . k of these queries over [history | current step]: [rows, heads, group *
  /// queries, tokens] fp32, the queries of each query head that reads the head one after the other
  /// (by_query_head()), tokens of the longest head. -infinity where a query does not see a key:
  /// later positions, padding, what lies beyond a head's tokens; a query that is padding sees
  /// nothing.
  [[nodiscard]] at::Tensor logits(const LayerStep& layer_step, int64_t window) const;
  /// Softmax of logits() over tokens; queries that see nothing pay attention to nothing.
  [[nodiscard]] at::Tensor attention(const LayerStep& layer_step, int64_t window) const;

  /// Bytes of all rings.
  [[nodiscard]] int64_t state_bytes() const;

 private:
  struct Ring {
    at::Tensor queries;              // [rows, query heads, window, head_dim], as used
    std::vector<int64_t> positions;  // [window] of the token in each ring slot; -1: empty
    int64_t next = 0;                // slot of the next token
  };

  [[nodiscard]] const Ring& ring_of(const LayerStep& layer_step) const;
  /// Places of positions() in the layer's ring.
  [[nodiscard]] std::vector<int64_t> ring_slots(const LayerStep& layer_step, int64_t window) const;

  int64_t window_;
  std::vector<Ring> rings_;  // [layers seen]
};

/// [..., queries] bool for logits [..., queries, tokens]: whether a line is nothing but -infinity.
at::Tensor sees_nothing(const at::Tensor& logits);

/// Softmax over the last dimension in which such a line is 0 throughout; `nothing` where
/// sees_nothing() is known already.
at::Tensor softmax_or_zero(const at::Tensor& logits);
at::Tensor softmax_or_zero(const at::Tensor& logits, const at::Tensor& nothing);

}  // namespace kvscope
