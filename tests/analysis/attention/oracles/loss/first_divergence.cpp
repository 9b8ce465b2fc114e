#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_loss_first_divergence(const NaiveRecording& seen, const Where& where) {
  Mean mean;
  seen.each_agreement([&](const std::vector<StepAgreement>& steps) {
    int64_t first = 0;
    while (first < std::ssize(steps) && steps[static_cast<size_t>(first)].differing == 0) ++first;
    mean.add(first == where("step") ? 1 : 0);
  });
  return mean.value();
}

}  // namespace kvscope
