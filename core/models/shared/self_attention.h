#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace kvscope {

/// Self-attention as a model asks for it: layer, q [rows, query heads, tokens, head_dim], k, v
/// [rows, heads, tokens, head_dim] (normed, scaled, rotated), the projections' input [rows, tokens,
/// width] and the query projection [query heads * head_dim, width]. Returns q's shape. The softmax
/// scale is known to who attends: inference attends through the cache, training over the whole
/// sequence, and the model does not know which.
using SelfAttention = std::function<at::Tensor(int64_t layer,
                                               const at::Tensor& q,
                                               const at::Tensor& k,
                                               const at::Tensor& v,
                                               const at::Tensor& hidden,
                                               const at::Tensor& query_weight)>;

}  // namespace kvscope
