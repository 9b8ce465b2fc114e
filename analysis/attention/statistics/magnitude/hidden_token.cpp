#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/largest_magnitude.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_magnitude_hidden_token(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<LargestMagnitude>(MagnitudeOf::kHidden, MagnitudeBy::kToken);
}

}  // namespace kvscope
