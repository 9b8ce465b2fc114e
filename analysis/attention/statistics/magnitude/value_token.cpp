#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/largest_magnitude.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_magnitude_value_token(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<LargestMagnitude>(MagnitudeOf::kValues, MagnitudeBy::kToken);
}

}  // namespace kvscope
