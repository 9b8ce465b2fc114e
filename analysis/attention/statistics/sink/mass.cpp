#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"
#include "analysis/attention/measures/sinks.h"

namespace kvscope {
namespace {

HeadStepMean::Sample sink_mass(ObservedStep& step, int64_t image, int64_t head) {
  const auto sums = step.column_sums(image, head);
  double mass = 0;
  for (const size_t sink : sinks_of(step, image, head)) mass += static_cast<double>(sums[sink]);
  return {.sum = mass, .weight = static_cast<double>(step.real_queries(image))};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_sink_mass(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{.unit = "share", .needs = {.column_sums = true, .received_mass = true}},
      sink_mass, std::map<std::string, int64_t>{{"sink_factor", kSinkFactor}});
}

}  // namespace kvscope
