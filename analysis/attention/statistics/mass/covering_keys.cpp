#include <algorithm>
#include <functional>
#include <numeric>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {
namespace {

/// The share of its attention that a query's keys are counted for.
constexpr int64_t kPercent = 90;

/// How many of the largest weights come to that share of all together.
double covering(std::span<const float> weights) {
  std::vector<float> sorted(weights.begin(), weights.end());
  std::ranges::sort(sorted, std::greater{});
  const double wanted = std::accumulate(sorted.begin(), sorted.end(), 0.0) * kPercent / 100;
  double sum = 0;
  int64_t keys = 0;
  for (auto weight = sorted.begin(); weight != sorted.end() && sum < wanted; ++weight, ++keys) {
    sum += static_cast<double>(*weight);
  }
  return static_cast<double>(keys);
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_covering_keys(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMean>("keys", options.sampled_queries, covering,
                                     std::map<std::string, int64_t>{{"percent", kPercent}});
}

}  // namespace kvscope
