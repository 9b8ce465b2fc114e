#include "core/models/infinity/text.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/base/by_head.h"
#include "core/base/error.h"

namespace kvscope::infinity {
namespace {

// Rows above rows, padded to the longer one.
TextFeatures stacked(const TextFeatures& top, const TextFeatures& bottom) {
  const int64_t tokens = std::max(top.features.size(1), bottom.features.size(1));
  const auto padded = [&](const at::Tensor& features) {
    return at::constant_pad_nd(features, {0, 0, 0, tokens - features.size(1)});
  };
  TextFeatures both{at::cat({padded(top.features), padded(bottom.features)}), top.lengths};
  both.lengths.insert(both.lengths.end(), bottom.lengths.begin(), bottom.lengths.end());
  return both;
}

}  // namespace

TextFeatures with_unconditional(const TransformerWeights& weights, const TextFeatures& text) {
  const int64_t tokens = text.features.size(1);
  if (tokens > weights.cfg_uncond.size(0)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("prompt has {} tokens, the model's cfg_uncond only {} rows; shorten the prompt",
                    tokens, weights.cfg_uncond.size(0)));
  }
  const at::Tensor learned =
      weights.cfg_uncond.narrow(0, 0, tokens).to(text.features.scalar_type());
  return stacked(text, {learned.unsqueeze(0).expand_as(text.features), text.lengths});
}

TextFeatures with_negative(const TextFeatures& text, const TextFeatures& negative) {
  return stacked(text, negative);
}

Conditioning condition(const TransformerConfig& config,
                       const TransformerWeights& weights,
                       const TextFeatures& text) {
  constexpr double kEpsilon = 1e-6;
  const at::Tensor raw = text.features.to(at::kFloat);
  const int64_t rows = raw.size(0);
  const int64_t tokens = raw.size(1);
  const at::Tensor kv = raw * at::rsqrt(raw.square().mean(-1, true) + kEpsilon) * weights.text_norm;

  Conditioning result;
  at::Tensor mask = at::zeros({rows, 1, 1, tokens}, kv.options());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = text.lengths.at(static_cast<size_t>(row));
    mask[row].narrow(-1, length, tokens - length).fill_(-std::numeric_limits<float>::infinity());
  }
  result.mask = mask;

  const int64_t heads = config.pool_heads();
  const int64_t head_dim = config.width / heads;
  const at::Tensor pool_bias = at::cat({at::zeros_like(weights.pool_v_bias), weights.pool_v_bias});
  const std::vector<at::Tensor> pool_kv =
      at::linear(kv, weights.pool_kv_weight, pool_bias).chunk(2, -1);
  const at::Tensor keys = by_head(pool_kv[0], heads);
  const at::Tensor values = by_head(pool_kv[1], heads);
  const at::Tensor query = weights.pool_query.unsqueeze(2).expand({rows, heads, 1, head_dim});
  const at::Tensor scores =
      at::matmul(query, keys.transpose(-1, -2)) / std::sqrt(static_cast<double>(head_dim)) + mask;
  const at::Tensor pooled =
      at::matmul(at::softmax(scores, -1), values);  // [rows, heads, 1, head_dim]
  result.pooled = at::linear(pooled.transpose(1, 2).reshape({rows, config.width}),
                             weights.pool_proj_weight, weights.pool_proj_bias);

  const at::Tensor hidden =
      at::gelu(at::linear(kv, weights.context1_weight, weights.context1_bias), "tanh");
  result.context = at::linear(hidden, weights.context2_weight, weights.context2_bias);
  if (config.shared_ada_lin) {
    result.shared_ada = at::linear(at::silu(result.pooled.to(at::kFloat)),
                                   weights.shared_ada_weight, weights.shared_ada_bias)
                            .view({rows, 1, 6, config.width});
  }
  return result;
}

}  // namespace kvscope::infinity
