#include "analysis/attention/attention_options.h"
#include "analysis/attention/image_offsets.h"
#include "analysis/attention/measures/head_step_mean.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

HeadStepMean::Sample text_mass(ObservedStep& step, int64_t image, int64_t head) {
  if (!ImageOffsets::looks(step.step())) return {};
  const int64_t condition = condition_tokens(step.steps());
  const auto positions = step.positions(image, head);
  const auto sums = step.column_sums(image, head);
  double mass = 0;
  for (size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] < condition) mass += static_cast<double>(sums[i]);
  }
  return {.sum = mass, .weight = 1};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_text(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<HeadStepMean>(
      StatisticInfo{
          .unit = "share", .needs = {.column_sums = true}, .models = StatisticModels::kNextToken},
      text_mass);
}

}  // namespace kvscope
