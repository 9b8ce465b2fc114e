#pragma once

// The kernels' operators on the device that the tests run on (test_device.h), for tests whose
// tensors are on the CPU: the arguments are taken there, the results, also what is changed in
// place, back. On the CPU itself nothing is copied.
#include <ATen/ATen.h>

#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.h"
#include "kernels/compaction/compaction.h"
#include "kernels/quantise/quantise.h"
#include "tests/support/test_device.h"

namespace kvscope::on_test_device {

inline at::Tensor there(const at::Tensor& x) {
  return x.to(test_device());  // keeps the strides
}

/// The history there; it still points to the tables of `history`.
inline RaggedRows there(const RaggedRows& history) {
  RaggedRows moved = history;
  moved.keys = there(history.keys);
  moved.values = there(history.values);
  return moved;
}

inline void bring_back(const RaggedRows& moved, const RaggedRows& history) {
  if (moved.keys.is_same(history.keys)) return;
  history.keys.copy_(moved.keys);
  history.values.copy_(moved.values);
}

inline AttentionResult ragged_attention(const at::Tensor& q,
                                        const RaggedRows& history,
                                        const at::Tensor& k,
                                        const at::Tensor& v,
                                        double softmax_scale,
                                        bool causal = false) {
  const AttentionResult result = kvscope::ragged_attention(there(q), there(history), there(k),
                                                           there(v), softmax_scale, causal);
  return {.out = result.out.cpu(), .lse = result.lse.cpu()};
}

inline at::Tensor column_sum(const at::Tensor& q,
                             const at::Tensor& lse,
                             const RaggedRows& history,
                             const at::Tensor& k,
                             double softmax_scale,
                             bool causal = false) {
  return kvscope::column_sum(there(q), there(lse), there(history), there(k), softmax_scale, causal)
      .cpu();
}

inline at::Tensor attention_rows(const at::Tensor& q,
                                 const at::Tensor& lse,
                                 const RaggedRows& history,
                                 const at::Tensor& k,
                                 double softmax_scale,
                                 std::span<const int64_t> query_indices,
                                 bool causal = false) {
  return kvscope::attention_rows(there(q), there(lse), there(history), there(k), softmax_scale,
                                 query_indices, causal)
      .cpu();
}

inline at::Tensor score_rows(const at::Tensor& q,
                             const RaggedRows& history,
                             const at::Tensor& k,
                             double softmax_scale,
                             std::span<const int64_t> query_indices,
                             bool causal = false) {
  return kvscope::score_rows(there(q), there(history), there(k), softmax_scale, query_indices,
                             causal)
      .cpu();
}

inline void append_rows(const RaggedRows& history, const at::Tensor& k, const at::Tensor& v) {
  const RaggedRows moved = there(history);
  kvscope::append_rows(moved, there(k), there(v));
  bring_back(moved, history);
}

inline void compact_rows(const RaggedRows& history,
                         const at::Tensor& k,
                         const at::Tensor& v,
                         std::span<const int64_t> kept,
                         std::span<const int64_t> kept_begin) {
  const RaggedRows moved = there(history);
  kvscope::compact_rows(moved, there(k), there(v), kept, kept_begin);
  bring_back(moved, history);
}

inline PackedLines there(const PackedLines& lines) {
  PackedLines moved = lines;
  for (at::Tensor* tensor : {&moved.codes, &moved.scale, &moved.minimum}) *tensor = there(*tensor);
  return moved;
}

inline at::Tensor quantise(const at::Tensor& x,
                           std::span<const int64_t> source,
                           const PackedLines& to,
                           std::span<const int64_t> target) {
  const PackedLines moved = there(to);
  const at::Tensor is_finite = kvscope::quantise(there(x), source, moved, target).cpu();
  if (!moved.codes.is_same(to.codes)) {
    to.codes.copy_(moved.codes);
    to.scale.copy_(moved.scale);
    to.minimum.copy_(moved.minimum);
  }
  return is_finite;
}

inline void dequantise(const PackedLines& from,
                       std::span<const int64_t> source,
                       const at::Tensor& x,
                       std::span<const int64_t> target) {
  const at::Tensor moved = there(x);
  kvscope::dequantise(there(from), source, moved, target);
  if (!moved.is_same(x)) x.copy_(moved);
}

}  // namespace kvscope::on_test_device
