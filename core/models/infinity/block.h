#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/models/infinity/rope.h"
#include "core/models/infinity/text.h"
#include "core/models/infinity/weights.h"
#include "core/models/next_scale/layers.h"

namespace kvscope::infinity {

/// Text keys and values of one layer, [rows, heads, text tokens, head_dim]; the same at every step.
struct CrossKeysValues {
  at::Tensor keys;
  at::Tensor values;
};

std::vector<CrossKeysValues> cross_keys_values(const TransformerConfig& config,
                                               const TransformerWeights& weights,
                                               const Conditioning& conditioning);

/// One block: x [rows, tokens, C] -> [rows, tokens, C].
///   x += SA(LN(x) (1 + scale1) + shift1) gamma1;  x += CA(ca_norm(x));  x += FFN(...) gamma2
at::Tensor block(const TransformerConfig& config,
                 const TransformerWeights& weights,
                 int64_t layer,
                 const at::Tensor& x,
                 const Rotation& rotation,
                 const Conditioning& conditioning,
                 const CrossKeysValues& text,
                 const SelfAttention& attend);

/// fp32 logits [rows, tokens, 2 * token bits]; entry 2 b + v is the logit of bit b having value v.
at::Tensor head(const TransformerWeights& weights, const at::Tensor& x, const at::Tensor& pooled);

}  // namespace kvscope::infinity
