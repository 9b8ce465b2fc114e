#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "experiments/verify/policies/policy.h"
#include "policies/signals/pool.h"

// What recorded decisions of several policies have in common.
namespace kvscope::verify {

/// q k^T / sqrt(head_dim) of the last queries [..., w, D] over keys [..., N, D]: [..., w, N] fp32,
/// -infinity where the key comes after the query.
at::Tensor causal_window_logits(const at::Tensor& q_window, const at::Tensor& k);

/// [tokens] bool on `device`: true for the last `window`.
at::Tensor last_tokens(int64_t tokens, int64_t window, at::Device device);

/// kvpress' way to keep tokens: `scores` with those of `forced` (bool, broadcast) replaced by the
/// largest of the others, over the whole batch, plus 1.
at::Tensor forced_scores(const at::Tensor& scores, const at::Tensor& forced);

/// Tokens that kvpress keeps of `tokens`: trunc(tokens * (1 - ratio)) in double arithmetic.
int64_t kvpress_tokens(int64_t tokens, double compression_ratio);

/// What an eviction leaves of each line of `scores` [..., tokens] fp32, ascending: the tokens of
/// `always` (bool, broadcast; may be undefined) and then the best, `counts[line]` together, or
/// `counts[0]` in every line. Throws Error(kInput) where a count does not fit.
KeptLists best_tokens(const PolicyCase& of,
                      const at::Tensor& scores,
                      const at::Tensor& always,
                      std::span<const int64_t> counts);

/// `lines` times all of 0..tokens-1: nothing was removed.
KeptLists everything(int64_t lines, int64_t tokens);

/// Parameter `pool`: "avgpool" or "maxpool".
PoolKind pool_of(const PolicyCase& of);
/// Parameter `kernel`, an odd number.
int64_t kernel_of(const PolicyCase& of);

}  // namespace kvscope::verify
