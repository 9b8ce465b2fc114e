#include <algorithm>
#include <functional>
#include <numeric>

#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {
namespace {

/// The share of its attention that a query's keys are counted for.
constexpr int64_t kPercent = 90;

/// How many of the largest weights come to that share of all together. Halves what may hold the
/// last of them instead of sorting: of thousands of keys a few matter.
double covering(std::span<const float> weights) {
  constexpr std::ptrdiff_t kFew = 16;
  std::vector<float> by_size(weights.begin(), weights.end());
  const auto sum_of = [](auto begin, auto end) { return std::accumulate(begin, end, 0.0); };
  const double wanted = sum_of(by_size.begin(), by_size.end()) * kPercent / 100;
  auto begin = by_size.begin();
  auto end = by_size.end();
  double sum = 0;  // of those before `begin`, which are all needed
  while (end - begin > kFew) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, std::greater{});
    const double half = sum_of(begin, middle);
    if (sum + half >= wanted) {
      end = middle;
    } else {
      sum += half;
      begin = middle;
    }
  }
  std::sort(begin, end, std::greater{});
  while (begin != by_size.end() && sum < wanted) sum += static_cast<double>(*begin++);
  return static_cast<double>(begin - by_size.begin());
}

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_covering_keys(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMean>("keys", options.sampled_queries, covering,
                                     std::map<std::string, int64_t>{{"percent", kPercent}});
}

}  // namespace kvscope
