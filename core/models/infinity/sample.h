#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace kvscope::infinity {

/// One bit per logit pair: `logits` [B, tokens, 2 d] -> u8 [B, tokens, d]. Image b samples from
/// generators[b] alone, so the result does not depend on the batch it is in; one random number per
/// bit, in the order token, bit, as in the reference.
at::Tensor sample_bits(const at::Tensor& logits,
                       int64_t top_k,
                       double top_p,
                       std::span<at::Generator> generators);

}  // namespace kvscope::infinity
