#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/guidance_difference.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_guidance_key_difference(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<GuidanceDifference>(&LayerStep::k);
}

}  // namespace kvscope
