#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kvscope {

/// [rows, tokens, heads * head_dim] -> [rows, heads, tokens, head_dim], a view.
inline at::Tensor by_head(const at::Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
}

}  // namespace kvscope
