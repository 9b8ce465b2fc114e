#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/step_tokens.h"

namespace kvscope {
namespace {

/// Share of a step's sampled values, bits of codes or ids, that are those of the full cache's
/// image. From the first difference on the two images are no longer of one past.
StepTokens::Sample equal(const StepAgreement& step, bool /*differed_before*/) {
  return {.sum = static_cast<double>(step.values - step.differing),
          .weight = static_cast<double>(step.values)};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_loss_token_agreement(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<StepTokens>(equal);
}

}  // namespace kvscope
