#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/head_step_mean.h"

namespace kvscope {
namespace {

/// What queries would pay, with a full cache, to the keys that they still see.
HeadStepMean::Sample retained_mass(ObservedStep& step, int64_t image, int64_t head) {
  const auto positions = step.positions(image, head);
  const auto viewers = step.viewers(image, head);
  const auto full = step.full_column_sums(image, head);
  double mass = 0;
  for (size_t i = 0; i < positions.size(); ++i) {
    if (viewers[i] > 0) mass += static_cast<double>(full[static_cast<size_t>(positions[i])]);
  }
  return {.sum = mass, .weight = static_cast<double>(step.real_queries(image))};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_loss_retained_mass(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{.unit = "share", .needs = {.full_cache = true}}, retained_mass);
}

}  // namespace kvscope
