#include "core/models/next_token/decoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/by_head.h"
#include "core/models/require_geometry.h"
#include "kernels/linear/linear.h"
#include "kernels/token_rows/token_rows.h"

namespace kvscope::next_token {
namespace {

/// x [rows, heads, tokens, head_dim] over its channels; each row of `weight` and `bias` serves as
/// many consecutive heads. The normed value is rounded before the product and that before the sum.
at::Tensor head_norm(const at::Tensor& x,
                     const at::Tensor& weight,
                     const at::Tensor& bias,
                     double epsilon) {
  const auto of_heads = [&](const at::Tensor& rows) {
    return rows.repeat_interleave(x.size(1) / rows.size(0), 0).unsqueeze(1);
  };
  return at::layer_norm(x, {x.size(-1)}, {}, {}, epsilon) * of_heads(weight) + of_heads(bias);
}

/// With `residual` added, where there is one.
at::Tensor self_attention(const DecoderConfig& config,
                          const LayerWeights& w,
                          int64_t layer,
                          const at::Tensor& hidden,
                          const Rotation& rotation,
                          const SelfAttention& attend,
                          const std::optional<at::Tensor>& residual) {
  const at::Tensor projections[] = {w.query, w.key, w.value};
  const std::vector<at::Tensor> projected = linear_layers(hidden, projections);
  at::Tensor q = by_head(projected[0], config.heads);
  at::Tensor k = by_head(projected[1], config.key_heads());
  const at::Tensor v = by_head(projected[2], config.key_heads());
  if (config.query_key_norm) {
    q = head_norm(q, w.query_norm, w.query_norm_bias, config.query_key_norm->epsilon);
    k = head_norm(k, w.key_norm, w.key_norm_bias, config.query_key_norm->epsilon);
  }
  const at::Tensor out =
      attend(layer, rotate(q, rotation), rotate(k, rotation), v, hidden, w.query);
  return linear_layer(out.transpose(1, 2).flatten(2), w.output, std::nullopt, Activation::kNone,
                      residual);
}

/// Likewise.
at::Tensor feed_forward(const LayerWeights& w,
                        const at::Tensor& hidden,
                        const std::optional<at::Tensor>& residual) {
  return linear_layer(gated_layer(hidden, w.gate, w.up), w.down, std::nullopt, Activation::kNone,
                      residual);
}

void check_query_key_norm(const DecoderConfig& config) {
  if (!config.query_key_norm) return;
  const QueryKeyNorm& norm = *config.query_key_norm;
  require_geometry(norm.query_rows > 0 && config.heads % norm.query_rows == 0 &&
                       norm.key_rows > 0 && config.key_heads() % norm.key_rows == 0,
                   fmt::format("query and key norm of {} and {} rows must divide {} heads and {} "
                               "key/value heads",
                               norm.query_rows, norm.key_rows, config.heads, config.key_heads()));
}

}  // namespace

void DecoderConfig::check(int64_t head_dim_multiple) const {
  require_geometry(layers > 0, fmt::format("transformer.depth {} must be positive", layers));
  require_geometry(
      heads > 0 && width > 0 && width % heads == 0,
      fmt::format("transformer.width {} must be a positive multiple of transformer.heads {}", width,
                  heads));
  require_geometry(
      kv_heads >= 0 && heads % key_heads() == 0,
      fmt::format("transformer.kv_heads {} must divide transformer.heads {}", kv_heads, heads));
  check_query_key_norm(*this);
  require_geometry(
      head_dim() % head_dim_multiple == 0,
      fmt::format("head_dim {} = width / heads must be a multiple of {} (rotary positions)",
                  head_dim(), head_dim_multiple));
  require_geometry(
      feed_forward_width > 0,
      fmt::format("transformer.feed_forward_width {} must be positive", feed_forward_width));
}

at::Tensor decode(const DecoderConfig& config,
                  const DecoderWeights& weights,
                  const at::Tensor& x,
                  const Rotation& rotation,
                  const SelfAttention& attend) {
  at::Tensor state = x;
  const auto norm = [&](const at::Tensor& of, const at::Tensor& weight) {
    return rms_norm_rows(of, weight, config.norm_epsilon);
  };
  for (size_t layer = 0; layer < weights.layers.size(); ++layer) {
    const LayerWeights& w = weights.layers[layer];
    const auto attended = [&](const at::Tensor& hidden, const std::optional<at::Tensor>& residual) {
      return self_attention(config, w, static_cast<int64_t>(layer), hidden, rotation, attend,
                            residual);
    };
    if (config.norms_behind) {
      state = state + norm(attended(state, std::nullopt), w.attention_norm);
      state = state + norm(feed_forward(w, state, std::nullopt), w.feed_forward_norm);
    } else {
      state = attended(norm(state, w.attention_norm), state);
      state = feed_forward(w, norm(state, w.feed_forward_norm), state);
    }
  }
  return state;
}

}  // namespace kvscope::next_token
