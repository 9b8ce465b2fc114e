#include "core/models/next_token/decoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/models/require_geometry.h"

namespace kvscope::next_token {
namespace {

at::Tensor by_head(const at::Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
}

at::Tensor self_attention(const DecoderConfig& config,
                          const LayerWeights& w,
                          int64_t layer,
                          const at::Tensor& hidden,
                          const Rotation& rotation,
                          const SelfAttention& attend) {
  const at::Tensor q = rotate(by_head(at::linear(hidden, w.query), config.heads), rotation);
  const at::Tensor k = rotate(by_head(at::linear(hidden, w.key), config.heads), rotation);
  const at::Tensor v = by_head(at::linear(hidden, w.value), config.heads);
  const at::Tensor out = attend(layer, q, k, v, hidden, w.query);
  return at::linear(out.transpose(1, 2).flatten(2), w.output);
}

}  // namespace

void DecoderConfig::check(int64_t head_dim_multiple) const {
  require_geometry(layers > 0, fmt::format("transformer.depth {} must be positive", layers));
  require_geometry(
      heads > 0 && width > 0 && width % heads == 0,
      fmt::format("transformer.width {} must be a positive multiple of transformer.heads {}", width,
                  heads));
  require_geometry(
      head_dim() % head_dim_multiple == 0,
      fmt::format("head_dim {} = width / heads must be a multiple of {} (rotary positions)",
                  head_dim(), head_dim_multiple));
  require_geometry(
      feed_forward_width > 0,
      fmt::format("transformer.feed_forward_width {} must be positive", feed_forward_width));
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor normed = wide * at::rsqrt(wide.square().mean(-1, true) + epsilon);
  return normed.to(x.scalar_type()) * weight;
}

at::Tensor decode(const DecoderConfig& config,
                  const DecoderWeights& weights,
                  const at::Tensor& x,
                  const Rotation& rotation,
                  const SelfAttention& attend) {
  at::Tensor state = x;
  for (size_t layer = 0; layer < weights.layers.size(); ++layer) {
    const LayerWeights& w = weights.layers[layer];
    state = state + self_attention(config, w, static_cast<int64_t>(layer),
                                   rms_norm(state, w.attention_norm, config.norm_epsilon), rotation,
                                   attend);
    const at::Tensor hidden = rms_norm(state, w.feed_forward_norm, config.norm_epsilon);
    state =
        state + at::linear(at::silu(at::linear(hidden, w.gate)) * at::linear(hidden, w.up), w.down);
  }
  return state;
}

}  // namespace kvscope::next_token
