#include <algorithm>
#include <functional>
#include <numeric>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {
namespace {

/// Sum of the `count` largest weights, or of all where there are fewer.
double largest_sum(std::span<const float> weights, int64_t count) {
  std::vector<float> largest(static_cast<size_t>(std::min<int64_t>(count, std::ssize(weights))));
  std::ranges::partial_sort_copy(weights, largest, std::greater{});
  return std::accumulate(largest.begin(), largest.end(), 0.0);
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_top(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMean>(
      "share", options.sampled_queries,
      [count = options.top_keys](std::span<const float> weights) {
        return largest_sum(weights, count);
      },
      std::map<std::string, int64_t>{{"top_keys", options.top_keys}});
}

}  // namespace kvscope
