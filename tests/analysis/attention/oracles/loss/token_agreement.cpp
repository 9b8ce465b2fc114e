#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_loss_token_agreement(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_agreement([&](const std::vector<StepAgreement>& steps) {
    const StepAgreement& step = steps[static_cast<size_t>(where("step"))];
    mean.add(static_cast<double>(step.values - step.differing), static_cast<double>(step.values));
  });
  return mean.value();
}

}  // namespace kvscope
