#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/step_tokens.h"

namespace kvscope {
namespace {

/// Share of images whose first value other than the full cache's is sampled in a step. What is
/// missing to 1 are images that do not diverge.
StepTokens::Sample diverges(const StepAgreement& step, bool differed_before) {
  return {.sum = step.differing > 0 && !differed_before ? 1.0 : 0.0, .weight = 1};
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_loss_first_divergence(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<StepTokens>(diverges);
}

}  // namespace kvscope
