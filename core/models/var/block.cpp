#include "core/models/var/block.h"

#include <ATen/ATen.h>

namespace kvscope::var {

Conditioning condition(const TransformerConfig& config,
                       const TransformerWeights& weights,
                       std::span<const int64_t> labels) {
  const at::Tensor index = at::tensor(at::ArrayRef<int64_t>(labels.data(), labels.size()),
                                      at::TensorOptions().dtype(at::kLong))
                               .to(weights.classes.device());
  Conditioning conditioning;
  conditioning.embedding = weights.classes.index_select(0, index);
  const at::Tensor active = at::silu(conditioning.embedding);
  const auto six = [&](const at::Tensor& weight, const at::Tensor& bias) {
    return scale_layer(active, weight, bias).view({-1, 1, 6, config.width});
  };
  const at::Tensor shared = config.shared_ada_lin
                                ? six(weights.shared_ada_weight, weights.shared_ada_bias)
                                : at::Tensor();
  for (const ScaleBlockWeights& w : weights.blocks) {
    conditioning.adaptives.push_back(config.shared_ada_lin ? w.ada_gss + shared
                                                           : six(w.ada_weight, w.ada_bias));
  }
  return conditioning;
}

at::Tensor embed_scale(const TransformerWeights& weights,
                       const Conditioning& conditioning,
                       const StepInfo& step,
                       const at::Tensor& features) {
  const at::Tensor position = weights.positions.narrow(1, step.first_token, step.queries()) +
                              weights.level_embedding.select(0, step.index);
  if (step.index == 0) return conditioning.embedding.unsqueeze(1) + weights.pos_start + position;
  return scale_layer(features, weights.word_weight, weights.word_bias) + position;
}

at::Tensor block(const TransformerConfig& config,
                 const TransformerWeights& weights,
                 int64_t layer,
                 const at::Tensor& x,
                 const Conditioning& conditioning,
                 const SelfAttention& attend) {
  const ScaleBlockWeights& w = weights.blocks.at(static_cast<size_t>(layer));
  const std::vector<at::Tensor> p = conditioning.adaptives.at(static_cast<size_t>(layer))
                                        .unbind(2);  // gamma1, gamma2, scale1, scale2, shift1, 2
  const at::Tensor h1 = plain_norm(x) * (1 + p[2]) + p[4];
  const at::Tensor y = x + cosine_attention(w, config.heads, layer, h1, attend) * p[0];
  const at::Tensor h2 = plain_norm(y) * (1 + p[3]) + p[5];
  const at::Tensor inner = at::gelu(scale_layer(h2, w.fc1_weight, w.fc1_bias), "tanh");
  return y + scale_layer(inner, w.fc2_weight, w.fc2_bias) * p[1];
}

at::Tensor head(const TransformerWeights& weights,
                const at::Tensor& x,
                const Conditioning& conditioning) {
  return adaptive_head(x, conditioning.embedding, weights);
}

}  // namespace kvscope::var
