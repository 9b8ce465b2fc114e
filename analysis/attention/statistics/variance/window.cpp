// Variance from query to query of what each key receives, summed over keys and heads: the other
// half of CAKE's layer preferences.
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/window_spread.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_variance_window(
    const AttentionRecorderOptions& options) {
  return std::make_unique<WindowSpread>(&AttentionSpread::variance, "share^2",
                                        options.window_queries);
}

}  // namespace kvscope
