// Entropy of the attention that each of the last queries pays, summed over queries and heads.
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/window_spread.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_entropy_window(
    const AttentionRecorderOptions& options) {
  return std::make_unique<WindowSpread>(&AttentionSpread::entropy, "nats", options.window_queries);
}

}  // namespace kvscope
