#include "policies/signals/expected_scores.h"

#include <ATen/ATen.h>

#include <limits>

#include "policies/signals/recent_queries.h"

namespace kvscope {
namespace {

/// Of the `member`-th query head of every group.
QueryMoments of_group(const QueryMoments& moments, int64_t group, int64_t member) {
  if (group == 1) return moments;
  const auto of = [&](const at::Tensor& x) {
    return x.unflatten(1, {-1, group}).select(2, member);
  };
  return {.count = moments.count, .mean = of(moments.mean), .scatter = of(moments.scatter)};
}

/// a_j of as many query heads as there are heads of keys.
at::Tensor expected_attention(const QueryMoments& future,
                              const at::Tensor& keys,
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
  return softmax_or_zero(logits);
}

}  // namespace

at::Tensor expected_scores(const QueryMoments& future,
                           const at::Tensor& keys,
                           const at::Tensor& values,
                           const at::Tensor& counted,
                           const ExpectedForm& form) {
  const int64_t group = future.mean.size(1) / keys.size(1);
  at::Tensor attention = expected_attention(of_group(future, group, 0), keys, counted, form);
  for (int64_t member = 1; member < group; ++member) {
    attention += expected_attention(of_group(future, group, member), keys, counted, form);
  }
  if (group > 1) attention /= group;
  if (!form.use_vnorm) return attention;
  return (attention + form.epsilon) * values.norm(2, {-1});
}

}  // namespace kvscope
