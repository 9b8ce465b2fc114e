#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace kvscope::infinity {

/// Drops what sampling must not pick (sets it to -inf). `logits` [..., classes] fp32. top_k <= 0
/// and top_p >= 1 drop nothing. top-k drops what is strictly below the k-th largest; then top-p
/// drops, in ascending order, what accumulates to at most 1 - p, never the largest.
at::Tensor keep_likely(const at::Tensor& logits, int64_t top_k, double top_p);

/// One bit per logit pair: `logits` [B, tokens, 2 d] -> u8 [B, tokens, d]. Image b draws from
/// generators[b] alone, so the result does not depend on the batch it is in; one multinomial a row,
/// in the order token, bit, as the reference draws.
at::Tensor sample_bits(const at::Tensor& logits,
                       int64_t top_k,
                       double top_p,
                       std::span<at::Generator> generators);

}  // namespace kvscope::infinity
