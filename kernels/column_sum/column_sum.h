#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// How much attention every key received from all queries of the step, summed over the queries of
/// all query heads that read it, the group of its key/value head (RaggedRows):
///   c_j = sum_i exp(softmax_scale * q_i . k_j - lse_i),   j over [history | current],
/// which is column j of the softmax. With `lse` from ragged_attention() over the same parts the
/// columns of a slot sum to group * queries. A second pass over Q and K: a block of keys
/// stays packed while the queries stream by, so no buffer grows with queries x keys, and every
/// column is summed by one thread in one order.
///
/// `q` [rows, query heads, queries, head_dim], `lse` [rows, query heads, queries] fp32, `history`
/// (its values are not read), `k` [rows, heads, tokens, head_dim]; fp32 or bf16 each. `causal` as
/// in ragged_attention(). Returns fp32 [column_offsets(history.length, tokens).back()]: the columns
/// of slot row * heads + head are result[offsets[slot] .. offsets[slot + 1]). Throws c10::Error
/// where shapes, types or devices do not fit.
at::Tensor column_sum(const at::Tensor& q,
                      const at::Tensor& lse,
                      const RaggedRows& history,
                      const at::Tensor& k,
                      double softmax_scale,
                      bool causal = false);

}  // namespace kvscope
