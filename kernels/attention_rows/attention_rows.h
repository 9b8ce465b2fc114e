#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// The softmax rows of a few chosen queries (an observation window):
///   p_wj = exp(softmax_scale * q_i . k_j - lse_i),   i = query_indices[w],   j over [history |
///   current],
/// as attention used them: each row sums to 1.
///
/// `q` [rows, heads, queries, head_dim], `lse` [rows, heads, queries] fp32 from ragged_attention(),
/// `history` (its values are not read), `k` [rows, heads, tokens, head_dim]; fp32 or bf16 each.
/// `query_indices` within [0, queries), the same W for every (row, head), in any order. `causal`
/// as in ragged_attention(): hidden keys get 0.
/// Returns packed fp32: with offsets = column_offsets(history.length, tokens), slot
/// row * heads + head is the row-major matrix [W, offsets[slot + 1] - offsets[slot]] that begins at
/// W * offsets[slot]; rows_of_slot() cuts it out.
/// Throws c10::Error where shapes, types, devices or indices do not fit.
at::Tensor attention_rows(const at::Tensor& q,
                          const at::Tensor& lse,
                          const RaggedRows& history,
                          const at::Tensor& k,
                          double softmax_scale,
                          std::span<const int64_t> query_indices,
                          bool causal = false);

/// The raw scores softmax_scale * q_i . k_j of the same rows, before any softmax, packed alike;
/// hidden keys get -inf.
at::Tensor score_rows(const at::Tensor& q,
                      const RaggedRows& history,
                      const at::Tensor& k,
                      double softmax_scale,
                      std::span<const int64_t> query_indices,
                      bool causal = false);

/// View [W, length + tokens] of one slot in the packed result of `window` = W query rows.
at::Tensor rows_of_slot(const at::Tensor& packed,
                        std::span<const int64_t> offsets,
                        int64_t window,
                        int64_t slot);

}  // namespace kvscope
