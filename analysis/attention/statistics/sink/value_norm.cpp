#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"
#include "analysis/attention/measures/sinks.h"

namespace kvscope {
namespace {

HeadStepMean::Sample sink_value_norm(ObservedStep& step, int64_t image, int64_t head) {
  const std::vector<size_t> sinks = sinks_of(step, image, head);
  if (sinks.empty()) return {};
  const auto norms = step.value_norms(image, head);
  double sum = 0;
  for (const size_t sink : sinks) sum += norms[sink];
  return {.sum = sum, .weight = static_cast<double>(sinks.size())};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_sink_value_norm(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{.unit = "L2 norm", .needs = {.received_mass = true, .values = true}},
      sink_value_norm, std::map<std::string, int64_t>{{"sink_factor", kSinkFactor}});
}

}  // namespace kvscope
