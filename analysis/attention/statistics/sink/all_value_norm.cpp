#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {
namespace {

HeadStepMean::Sample value_norm(ObservedStep& step, int64_t image, int64_t head) {
  const auto norms = step.value_norms(image, head);
  const auto viewers = step.viewers(image, head);
  HeadStepMean::Sample sample;
  for (size_t i = 0; i < norms.size(); ++i) {
    if (viewers[i] == 0) continue;
    sample.sum += norms[i];
    sample.weight += 1;
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
