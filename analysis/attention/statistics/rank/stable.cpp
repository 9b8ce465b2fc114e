#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/output_rank.h"

namespace kvscope {
namespace {

/// Squared Frobenius norm over squared spectral norm (Rudelson and Vershynin, J. ACM 2007); 0 of a
/// matrix that is 0.
at::Tensor stable_rank(const at::Tensor& singular_values) {
  const at::Tensor squares = singular_values.square();
  return squares.sum(-1) / squares.amax(-1).clamp_min(1e-300);
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_rank_stable(
    const AttentionRecorderOptions& options) {
  return std::make_unique<OutputRank>(options.sampled_queries, stable_rank);
}

}  // namespace kvscope
