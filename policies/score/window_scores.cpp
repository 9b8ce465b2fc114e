#include "policies/score/window_scores.h"

#include <ATen/ATen.h>

#include <limits>

#include "policies/score/recent_queries.h"

namespace kvscope {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

at::Tensor mean_window_attention(const at::Tensor& logits,
                                 const at::Tensor& in_window,
                                 SoftmaxOver softmax) {
  const at::Tensor attention =
      softmax == SoftmaxOver::kAll
          ? softmax_or_zero(logits)
          : softmax_or_zero(logits.masked_fill(in_window.unsqueeze(-2), -kInfinity));
  const at::Tensor looking = (logits.amax(-1) > -kInfinity).sum(-1, true).clamp_min(1);
  return attention.sum(-2).div_(looking);
}

at::Tensor pool_past(const at::Tensor& scores,
                     const at::Tensor& in_window,
                     PoolKind kind,
                     int64_t kernel) {
  const double nothing = kind == PoolKind::kMaximum ? -kInfinity : 0.0;
  const at::Tensor pooled = pool_tokens(scores.masked_fill(in_window, nothing), kind, kernel);
  return at::where(in_window, scores, pooled);
}

}  // namespace kvscope
