#include "policies/score/expected_scores.h"

#include <ATen/ATen.h>

#include <limits>

#include "policies/score/recent_queries.h"

namespace kvscope {

at::Tensor expected_scores(const QueryMoments& future,
                           const at::Tensor& keys,
                           const at::Tensor& values,
                           const at::Tensor& counted,
                           const ExpectedForm& form) {
  at::Tensor logits = at::matmul(keys, future.mean.unsqueeze(-1)).squeeze(-1) * form.softmax_scale;
  if (form.use_covariance) {
    const at::Tensor spread = (at::matmul(keys, future.covariance()) * keys).sum(-1);
    logits = logits + spread * (form.softmax_scale * form.softmax_scale / 2);
  }
  if (counted.defined()) {
    logits = logits.masked_fill(counted.logical_not(), -std::numeric_limits<double>::infinity());
  }
  const at::Tensor attention = softmax_or_zero(logits);
  if (!form.use_vnorm) return attention;
  return (attention + form.epsilon) * values.norm(2, {-1});
}

}  // namespace kvscope
