#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/ragged/ragged.h"

namespace kvscope {

struct AttentionResult {
  at::Tensor out;  ///< [rows, query heads, queries, head_dim], type of q
  at::Tensor lse;  ///< [rows, query heads, queries] fp32, natural logarithm
};

/// Attention of the current step over [history | current], nothing concatenated:
///   out_i = sum_j p_ij v_j,   p_ij = exp(s_ij - lse_i),   s_ij = softmax_scale * q_i . k_j,
///   lse_i = log sum_j exp(s_ij),
/// j over the length[r, h] cached tokens of the query head's key/value head h (RaggedRows) and then
/// the current ones. The two parts meet in the
/// running (maximum, sum) of the online softmax, the associative form of log-sum-exp merging
/// (Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135), so no buffer grows
/// with queries x keys.
///
/// `q` [rows, query heads, queries, head_dim]; `k`, `v` [rows, heads, tokens, head_dim] of the
/// current step; `history` holds rows * heads ragged slots, any of them empty. Each of the five
/// tensors is fp32 or bf16 by itself, with any strides; on a CPU bf16 is widened block by block.
/// Statistics and sums are fp32. `causal`: query i sees current token j only for j <= i (tokens ==
/// queries); the history is always visible.
///
/// `out` lies in memory as [rows, queries, query heads, head_dim], so out.transpose(1,
/// 2).flatten(2) is a view. A query that sees no key gets zeros and lse = -inf. NaN in, NaN out.
/// Throws c10::Error where shapes, types or devices do not fit.
AttentionResult ragged_attention(const at::Tensor& q,
                                 const RaggedRows& history,
                                 const at::Tensor& k,
                                 const at::Tensor& v,
                                 double softmax_scale,
                                 bool causal = false);

}  // namespace kvscope
