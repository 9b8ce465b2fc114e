#include "policies/signals/cake_scores.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "policies/signals/recent_queries.h"

namespace kvscope {
namespace {

struct Moments {
  at::Tensor mean;      // [..., tokens]
  at::Tensor variance;  // likewise, unbiased
};

/// Of `attention` [..., queries, tokens] over the queries that `logits` let see something.
Moments moments_over_queries(const at::Tensor& attention, const at::Tensor& logits) {
  const at::Tensor looks = (logits.amax(-1) > -std::numeric_limits<double>::infinity());
  const at::Tensor queries = looks.sum(-1, true);  // [..., 1]
  const at::Tensor mean = attention.sum(-2) / queries.clamp_min(1);
  const at::Tensor deviation = (attention - mean.unsqueeze(-2)) * looks.unsqueeze(-1);
  return {.mean = mean, .variance = deviation.square().sum(-2) / (queries - 1).clamp_min(1)};
}

}  // namespace

at::Tensor mean_and_variance_scores(const at::Tensor& logits, double gamma) {
  const Moments moments = moments_over_queries(softmax_or_zero(logits), logits);
  return moments.mean + gamma * moments.variance;
}

AttentionSpread attention_spread(const at::Tensor& logits, const at::Tensor& in_window) {
  const at::Tensor attention = softmax_or_zero(logits);
  const at::Tensor past = attention.masked_fill(in_window.unsqueeze(-2), 0).to(at::kDouble);
  return {.entropy = -(past * (past + 1e-10).log()).sum().item<double>(),
          .variance = moments_over_queries(past, logits).variance.sum().item<double>()};
}

double layer_preference(const AttentionSpread& spread, double tau1, double tau2) {
  return std::pow(spread.entropy, 1 / tau1) * std::pow(spread.variance, 1 / tau2);
}

}  // namespace kvscope
