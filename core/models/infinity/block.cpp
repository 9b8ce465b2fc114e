#include "core/models/infinity/block.h"

#include <ATen/ATen.h>

#include <cmath>

namespace kvscope::infinity {
namespace {

constexpr double kNormEpsilon = 1e-6;
constexpr double kMaxLogScale = 4.605170249938965;  // fp32 log(100): the cosine attention's cap

at::Tensor plain_norm(const at::Tensor& x) {
  return at::layer_norm(x.to(at::kFloat), {x.size(-1)}, {}, {}, kNormEpsilon);
}

at::Tensor by_head(const at::Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
}

at::Tensor unit(const at::Tensor& x) {
  return x / x.norm(2, {-1}, true).clamp_min(1e-12);
}

// [q_bias, 0, v_bias]: the key bias is zero by construction.
at::Tensor qkv_bias(const BlockWeights& w) {
  return at::cat({w.q_bias, at::zeros_like(w.q_bias), w.v_bias});
}

at::Tensor self_attention(const TransformerConfig& config,
                          const BlockWeights& w,
                          int64_t layer,
                          const at::Tensor& hidden,
                          const Rotation& rotation,
                          const SelfAttention& attend) {
  const std::vector<at::Tensor> qkv = at::linear(hidden, w.qkv_weight, qkv_bias(w)).chunk(3, -1);
  const at::Tensor scale = w.scale_mul.clamp_max(kMaxLogScale).exp();
  const at::Tensor q = rotate(unit(by_head(qkv[0], config.heads)) * scale, rotation);
  const at::Tensor k = rotate(unit(by_head(qkv[1], config.heads)), rotation);
  const at::Tensor v = by_head(qkv[2], config.heads);
  const at::Tensor query_weight = w.qkv_weight.narrow(0, 0, config.width);
  const at::Tensor out = attend(layer, q, k, v, hidden, query_weight);
  return at::linear(out.transpose(1, 2).flatten(2), w.proj_weight, w.proj_bias);
}

at::Tensor cross_attention(const TransformerConfig& config,
                           const BlockWeights& w,
                           const at::Tensor& x,
                           const CrossKeysValues& text,
                           const at::Tensor& mask) {
  const at::Tensor q = by_head(at::linear(x, w.cross_q_weight, w.cross_q_bias), config.heads);
  // The mask keeps padding out of every row; scale 1/sqrt(head_dim) is the default.
  const at::Tensor out = at::scaled_dot_product_attention(
      q, text.keys, text.values, mask.to(q.scalar_type()).expand({-1, 1, q.size(2), -1}));
  return at::linear(out.transpose(1, 2).flatten(2), w.cross_proj_weight, w.cross_proj_bias);
}

at::Tensor feed_forward(const BlockWeights& w, const at::Tensor& x) {
  if (w.gate_weight.defined()) {
    return at::linear(at::silu(at::linear(x, w.gate_weight)) * at::linear(x, w.fc1_weight),
                      w.fc2_weight);
  }
  return at::linear(at::gelu(at::linear(x, w.fc1_weight, w.fc1_bias), "tanh"), w.fc2_weight,
                    w.fc2_bias);
}

}  // namespace

std::vector<CrossKeysValues> cross_keys_values(const TransformerConfig& config,
                                               const TransformerWeights& weights,
                                               const Conditioning& conditioning) {
  std::vector<CrossKeysValues> result;
  for (const BlockWeights& w : weights.blocks) {
    const at::Tensor bias = at::cat({at::zeros_like(w.cross_v_bias), w.cross_v_bias});
    const std::vector<at::Tensor> kv =
        at::linear(conditioning.context, w.cross_kv_weight, bias).chunk(2, -1);
    result.push_back({by_head(kv[0], config.heads), by_head(kv[1], config.heads)});
  }
  return result;
}

at::Tensor block(const TransformerConfig& config,
                 const TransformerWeights& weights,
                 int64_t layer,
                 const at::Tensor& x,
                 const Rotation& rotation,
                 const Conditioning& conditioning,
                 const CrossKeysValues& text,
                 const SelfAttention& attend) {
  const BlockWeights& w = weights.blocks.at(static_cast<size_t>(layer));
  const at::Tensor parameters =
      config.shared_ada_lin
          ? w.ada_gss + conditioning.shared_ada
          : at::linear(at::silu(conditioning.pooled.to(at::kFloat)), w.ada_weight, w.ada_bias)
                .view({-1, 1, 6, config.width});
  const std::vector<at::Tensor> p =
      parameters.unbind(2);  // gamma1, gamma2, scale1, scale2, shift1, shift2

  const at::Tensor h1 = plain_norm(x) * (1 + p[2]) + p[4];
  const at::Tensor after_self = x + self_attention(config, w, layer, h1, rotation, attend) * p[0];
  const at::Tensor normed = at::layer_norm(after_self, {config.width}, w.cross_norm_weight,
                                           w.cross_norm_bias, kNormEpsilon);
  const at::Tensor after_cross =
      after_self + cross_attention(config, w, normed, text, conditioning.mask);
  const at::Tensor h2 = plain_norm(after_cross) * (1 + p[3]) + p[5];
  return after_cross + feed_forward(w, h2) * p[1];
}

at::Tensor head(const TransformerWeights& weights, const at::Tensor& x, const at::Tensor& pooled) {
  const std::vector<at::Tensor> p =
      at::linear(at::silu(pooled.to(at::kFloat)), weights.head_ada_weight, weights.head_ada_bias)
          .view({-1, 1, 2, x.size(-1)})
          .unbind(2);  // scale first, shift second
  return at::linear(plain_norm(x) * (1 + p[0]) + p[1], weights.head_weight, weights.head_bias);
}

}  // namespace kvscope::infinity
