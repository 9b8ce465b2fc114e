#include <ATen/ATen.h>

#include <cmath>

#include "core/models/next_token/generate.h"
#include "core/models/next_token/positions.h"
#include "kernels/token_rows/token_rows.h"

namespace kvscope::next_token {
namespace {

// [rows, 1, tokens, tokens] bool, true where a query sees a key: earlier tokens that are no
// padding, and itself.
at::Tensor visible(const std::vector<int64_t>& padding, int64_t tokens, at::Device device) {
  const at::Tensor index = at::arange(tokens, at::TensorOptions(device).dtype(at::kLong));
  const at::Tensor causal = index.unsqueeze(1) >= index.unsqueeze(0);
  const at::Tensor real =
      index >= at::tensor(padding, at::kLong).to(device).view({-1, 1, 1, 1});  // [rows, 1, 1, T]
  const at::Tensor self = index.unsqueeze(1) == index.unsqueeze(0);
  return at::logical_or(at::logical_and(causal, real), self);
}

}  // namespace

at::Tensor teacher_forcing(const NextTokenModel& model,
                           const Condition& condition,
                           const at::Tensor& tokens) {
  const int64_t rows = tokens.size(0);
  const int64_t fed = tokens.size(1);
  at::Tensor x = condition.embeddings;
  if (fed > 0) {
    const at::Tensor fed_states = model.embed(tokens.reshape({-1})).view({rows, fed, -1});
    x = at::cat({x, fed_states}, 1);
  }
  const int64_t length = x.size(1);
  const double softmax_scale = 1.0 / std::sqrt(static_cast<double>(model.config.head_dim()));
  const c10::optional<at::Tensor> mask =
      condition.padding.empty()
          ? c10::optional<at::Tensor>()
          : c10::optional<at::Tensor>(visible(condition.padding, length, x.device()));
  const bool grouped = model.config.key_heads() != model.config.heads;
  const SelfAttention attend = [&](int64_t, const at::Tensor& q, const at::Tensor& k,
                                   const at::Tensor& v, const at::Tensor&, const at::Tensor&) {
    return at::scaled_dot_product_attention(q, k, v, mask, 0.0, /*is_causal=*/!mask.has_value(),
                                            softmax_scale, /*enable_gqa=*/grouped);
  };
  x = decode(model.config, model.weights, x, Positions(model, condition).rotation(0, length),
             attend);
  const at::Tensor hidden = rms_norm_rows(x.narrow(1, length - fed - 1, fed + 1),
                                          model.weights.norm, model.config.norm_epsilon);
  return model.head(hidden.reshape({rows * (fed + 1), -1})).view({rows, fed + 1, -1});
}

}  // namespace kvscope::next_token
