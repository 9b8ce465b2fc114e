#include <ATen/ATen.h>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {
namespace {

HeadStepMean::Sample value_norm(ObservedStep& step, int64_t image, int64_t head) {
  const at::Tensor norms =
      at::linalg_vector_norm(step.values(image, head).to(at::kDouble), 2, {1}).to(at::kCPU);
  const auto* norm = norms.const_data_ptr<double>();
  HeadStepMean::Sample sample;
  for (const int64_t viewers : step.viewers(image, head)) {
    if (viewers > 0) {
      sample.sum += *norm;
      sample.weight += 1;
    }
    ++norm;
  }
  return sample;
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_sink_all_value_norm(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(StatisticInfo{.unit = "L2 norm", .needs = {.values = true}},
                                        value_norm);
}

}  // namespace kvscope
