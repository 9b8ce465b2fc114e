#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {
namespace {

/// How far a query's attention output lies from that with a full cache: the norm of the difference
/// over the norm of the latter.
HeadStepMean::Sample output_error(ObservedStep& step, int64_t image, int64_t head) {
  const at::Tensor full = step.full_outputs(image, head);
  const at::Tensor error = at::linalg_vector_norm(step.outputs(image, head) - full, 2, {2});
  const at::Tensor norm = at::linalg_vector_norm(full, 2, {2});
  const at::Tensor is_there = norm > 0;
  return {.sum = at::where(is_there, error / norm, at::zeros_like(norm)).sum().item<double>(),
          .weight = is_there.sum().item<double>()};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_loss_output_error(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{.unit = "relative L2 norm", .needs = {.full_cache = true}}, output_error);
}

}  // namespace kvscope
