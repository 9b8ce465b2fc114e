#include "core/models/next_scale/layers.h"

#include <ATen/ATen.h>

#include <vector>

#include "core/base/by_head.h"
#include "kernels/linear/linear.h"

namespace kvscope {
namespace {

constexpr double kNormEpsilon = 1e-6;
constexpr double kMaxLogScale = 4.605170249938965;  // fp32 log(100): the cosine attention's cap

at::Tensor unit(const at::Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min(1e-12);
}

}  // namespace

at::Tensor scale_layer(const at::Tensor& x,
                       const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias) {
  if (weight.scalar_type() == at::kBFloat16) return linear_layer(x, weight, bias);
  return at::linear(x, weight, bias);
}

at::Tensor plain_norm(const at::Tensor& x) {
  return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, {}, {}, kNormEpsilon);
}

at::Tensor cosine_attention(const ScaleBlockWeights& weights,
                            int64_t heads,
                            int64_t layer,
                            const at::Tensor& hidden,
                            const SelfAttention& attend,
                            const std::function<at::Tensor(const at::Tensor&)>& turn) {
  // The key bias is zero by construction.
  const at::Tensor bias = at::cat({weights.q_bias, at::zeros_like(weights.q_bias), weights.v_bias});
  const std::vector<at::Tensor> qkv = scale_layer(hidden, weights.qkv_weight, bias).chunk(3, -1);
  const at::Tensor scale = weights.scale_mul.clamp_max(kMaxLogScale).exp();
  at::Tensor q = unit(by_head(qkv[0], heads)) * scale;
  at::Tensor k = unit(by_head(qkv[1], heads));
  if (turn) {
    q = turn(q);
    k = turn(k);
  }
  const at::Tensor v = by_head(qkv[2], heads);
  const at::Tensor query_weight = weights.qkv_weight.narrow(0, 0, hidden.size(-1));
  const at::Tensor out = attend(layer, q, k, v, hidden, query_weight);
  return scale_layer(out.transpose(1, 2).flatten(2), weights.proj_weight, weights.proj_bias);
}

at::Tensor adaptive_head(const at::Tensor& x,
                         const at::Tensor& condition,
                         const ScaleTransformerWeights& weights) {
  const std::vector<at::Tensor> p = scale_layer(at::silu(condition.to(at::kFloat)),
                                                weights.head_ada_weight, weights.head_ada_bias)
                                        .view({-1, 1, 2, x.size(-1)})
                                        .unbind(2);  // scale first, shift second
  return scale_layer(plain_norm(x) * (1 + p[0]) + p[1], weights.head_weight, weights.head_bias);
}

}  // namespace kvscope
