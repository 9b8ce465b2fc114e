#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/largest_magnitude.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_magnitude_key_channel(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<LargestMagnitude>(MagnitudeOf::kKeys, MagnitudeBy::kChannel);
}

}  // namespace kvscope
