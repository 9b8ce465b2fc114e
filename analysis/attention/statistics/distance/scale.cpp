#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {
namespace {

HeadStepMean::Sample scale_distance(ObservedStep& step, int64_t image, int64_t head) {
  const auto masses = step.step_sums(image, head);
  double sum = 0;
  for (int64_t on = 0; on <= step.step().index; ++on) {
    sum += masses[static_cast<size_t>(on)] * static_cast<double>(step.step().index - on);
  }
  return {.sum = sum, .weight = static_cast<double>(step.step().queries())};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_distance_scale(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{
          .unit = "scales", .needs = {.column_sums = true}, .models = StatisticModels::kNextScale},
      scale_distance);
}

}  // namespace kvscope
