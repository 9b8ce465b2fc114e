#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "core/models/next_scale/weights.h"
#include "core/models/shared/self_attention.h"

namespace kvscope {

/// Layer norm without affine part, epsilon 1e-6, in fp32: what adaLN scales and shifts.
at::Tensor plain_norm(const at::Tensor& x);

/// proj(attend(scale unit(q), unit(k), v)) of hidden [rows, tokens, C]. `turn`, where given,
/// rotates q and k to their positions after the scaling; the softmax scale is 1.
at::Tensor cosine_attention(const ScaleBlockWeights& weights,
                            int64_t heads,
                            int64_t layer,
                            const at::Tensor& hidden,
                            const SelfAttention& attend,
                            const std::function<at::Tensor(const at::Tensor&)>& turn = {});

/// Linear(LN(x) (1 + s) + t), [s; t] = ada(SiLU(condition)): the logits of tokens x [rows, tokens,
/// C] under a condition [rows, C]; all in fp32.
at::Tensor adaptive_head(const at::Tensor& x,
                         const at::Tensor& condition,
                         const ScaleTransformerWeights& weights);

}  // namespace kvscope
