#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/output_rank.h"

namespace kvscope {
namespace {

/// exp of the entropy of the singular values as shares (Roy and Vetterli, EUSIPCO 2007); 0 of a
/// matrix that is 0.
at::Tensor effective_rank(const at::Tensor& singular_values) {
  const at::Tensor sum = singular_values.sum(-1, true);
  const at::Tensor shares = singular_values / sum.clamp_min(1e-300);
  return at::exp(-at::xlogy(shares, shares).sum(-1)) * (sum.squeeze(-1) > 0);
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_rank_effective(
    const AttentionRecorderOptions& options) {
  return std::make_unique<OutputRank>(options.sampled_queries, effective_rank);
}

}  // namespace kvscope
