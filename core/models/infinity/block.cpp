#include "core/models/infinity/block.h"

#include <ATen/ATen.h>

#include "core/base/by_head.h"

namespace kvscope::infinity {
namespace {

constexpr double kNormEpsilon = 1e-6;

at::Tensor cross_attention(const TransformerConfig& config,
                           const BlockWeights& w,
                           const at::Tensor& x,
                           const CrossKeysValues& text,
                           const at::Tensor& mask) {
  const at::Tensor q = by_head(scale_layer(x, w.cross_q_weight, w.cross_q_bias), config.heads);
  // The mask keeps padding out of every row; scale 1/sqrt(head_dim) is the default.
  const at::Tensor out = at::scaled_dot_product_attention(
      q, text.keys, text.values, mask.to(q.scalar_type()).expand({-1, 1, q.size(2), -1}));
  return scale_layer(out.transpose(1, 2).flatten(2), w.cross_proj_weight, w.cross_proj_bias);
}

at::Tensor feed_forward(const BlockWeights& w, const at::Tensor& x) {
  if (w.gate_weight.defined()) {
    return scale_layer(at::silu(scale_layer(x, w.gate_weight)) * scale_layer(x, w.fc1_weight),
                       w.fc2_weight);
  }
  return scale_layer(at::gelu(scale_layer(x, w.fc1_weight, w.fc1_bias), "tanh"), w.fc2_weight,
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
        scale_layer(conditioning.context, w.cross_kv_weight, bias).chunk(2, -1);
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
          : scale_layer(at::silu(conditioning.pooled.to(at::kFloat)), w.ada_weight, w.ada_bias)
                .view({-1, 1, 6, config.width});
  const std::vector<at::Tensor> p =
      parameters.unbind(2);  // gamma1, gamma2, scale1, scale2, shift1, shift2

  const at::Tensor h1 = plain_norm(x) * (1 + p[2]) + p[4];
  const auto turn = [&](const at::Tensor& head) { return rotate(head, rotation); };
  const at::Tensor after_self =
      x + cosine_attention(w, config.heads, layer, h1, attend, turn) * p[0];
  const at::Tensor normed = at::layer_norm(after_self, {config.width}, w.cross_norm_weight,
                                           w.cross_norm_bias, kNormEpsilon);
  const at::Tensor after_cross =
      after_self + cross_attention(config, w, normed, text, conditioning.mask);
  const at::Tensor h2 = plain_norm(after_cross) * (1 + p[3]) + p[5];
  return after_cross + feed_forward(w, h2) * p[1];
}

at::Tensor head(const TransformerWeights& weights, const at::Tensor& x, const at::Tensor& pooled) {
  return adaptive_head(x, pooled, weights);
}

}  // namespace kvscope::infinity
