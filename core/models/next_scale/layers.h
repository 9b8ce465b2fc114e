#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "core/models/next_scale/weights.h"
#include "core/models/shared/self_attention.h"

namespace kvscope {

/// Layer norm without affine part, epsilon 1e-6, in fp32: what adaLN scales and shifts.
at::Tensor plain_norm(const at::Tensor& x);

/// x W^T + bias of a transformer over scales, x fp32. Its fp32 weights meet the library's product
/// whatever the rows: the first scales, whose rows are few, take little of the time, and an image
/// of thousands of sampled bits keeps its bits only where rounding stays as it was.
at::Tensor scale_layer(const at::Tensor& x,
                       const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias = std::nullopt);

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
