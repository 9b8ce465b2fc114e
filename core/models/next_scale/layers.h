#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "core/models/next_scale/weights.h"

namespace kvscope {

/// Self-attention as a model asks for it: layer, q, k, v [rows, heads, tokens, head_dim]
/// (normalised, scaled, rotated; softmax scale 1), the projection's input [rows, tokens, C] and the
/// query rows of its weight [C, C]. Returns [rows, heads, tokens, head_dim]. Inference attends
/// through the cache, training over the whole sequence under a block-causal mask: the model does
/// not know which.
using SelfAttention = std::function<at::Tensor(int64_t layer,
                                               const at::Tensor& q,
                                               const at::Tensor& k,
                                               const at::Tensor& v,
                                               const at::Tensor& hidden,
                                               const at::Tensor& query_weight)>;

/// Layer norm without affine part, epsilon 1e-6, in fp32: what adaLN scales and shifts.
at::Tensor plain_norm(const at::Tensor& x);

/// [rows, tokens, heads * head_dim] -> [rows, heads, tokens, head_dim].
at::Tensor by_head(const at::Tensor& x, int64_t heads);

/// proj(attend(scale unit(q), unit(k), v)) of hidden [rows, tokens, C]. `place`, where given,
/// rotates q and k to their positions after the scaling.
at::Tensor cosine_attention(const ScaleBlockWeights& weights,
                            int64_t heads,
                            int64_t layer,
                            const at::Tensor& hidden,
                            const SelfAttention& attend,
                            const std::function<at::Tensor(const at::Tensor&)>& place = {});

/// Linear(LN(x) (1 + s) + t), [s; t] = ada(SiLU(condition)): the logits of tokens x [rows, tokens,
/// C] under a condition [rows, C]; all in fp32.
at::Tensor adaptive_head(const at::Tensor& x,
                         const at::Tensor& condition,
                         const ScaleTransformerWeights& weights);

}  // namespace kvscope
