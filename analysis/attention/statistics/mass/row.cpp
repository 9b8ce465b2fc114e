#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/near_mass.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_mass_row(
    const AttentionRecorderOptions& options) {
  return std::make_unique<NearMass>(Nearness::kRows, options.sampled_queries);
}

}  // namespace kvscope
