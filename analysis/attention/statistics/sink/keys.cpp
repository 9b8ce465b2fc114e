#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"
#include "analysis/attention/measures/sinks.h"

namespace kvscope {
namespace {

HeadStepMean::Sample sink_keys(ObservedStep& step, int64_t image, int64_t head) {
  return {.sum = static_cast<double>(sinks_of(step, image, head).size()), .weight = 1};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_sink_keys(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{.unit = "keys", .needs = {.received_mass = true}}, sink_keys,
      std::map<std::string, int64_t>{{"sink_factor", kSinkFactor}});
}

}  // namespace kvscope
