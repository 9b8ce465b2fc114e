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
/// `q` [rows, query heads, queries, head_dim], `lse` [rows, query heads, queries] fp32 from
/// ragged_attention(), `history` (its values are not read), `k` [rows, heads, tokens, head_dim];
/// fp32 or bf16 each. `query_indices` within [0, queries), the same W for every (row, query head),
/// in any order. `causal` as in ragged_attention(): hidden keys get 0.
/// Returns packed fp32: a slot has lines = group * W lines, the W of the first query head that
/// reads it, then those of the next (RaggedRows); nothing is summed over the group. With offsets =
/// column_offsets(history.length, tokens), slot row * heads + head is the row-major matrix [lines,
/// offsets[slot + 1] - offsets[slot]] that begins at lines * offsets[slot]; rows_of_slot() takes it
/// out.
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

/// View [lines, length + tokens] of one slot in a packed result that has `lines` lines per slot.
at::Tensor rows_of_slot(const at::Tensor& packed,
                        std::span<const int64_t> offsets,
                        int64_t lines,
                        int64_t slot);

}  // namespace kvscope
