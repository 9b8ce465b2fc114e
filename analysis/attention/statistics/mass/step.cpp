#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/step_mass_mean.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_mass_step(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<StepMassMean>(GuidanceRow::kConditional);
}

}  // namespace kvscope
