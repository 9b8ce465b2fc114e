#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {

std::unique_ptr<AttentionStatistic> make_statistic_entropy_query(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMean>("nats", options.sampled_queries, entropy_of);
}

}  // namespace kvscope
