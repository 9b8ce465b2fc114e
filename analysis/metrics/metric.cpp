#include "analysis/metrics/metric.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

namespace kvscope {

std::string Metric::remark() const {
  const std::string better = higher_is_better ? "higher is better" : "lower is better";
  return meaning.empty() ? better : meaning + ", " + better;
}

MetricSummary summarise_mean(std::span<const double> values) {
  return {.interval = mean_interval(values)};
}

MetricSummary summarise_finite_mean(std::span<const double> values) {
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite), [](double v) { return !std::isinf(v); });
  MetricSummary summary{.left_out = static_cast<int64_t>(values.size() - finite.size())};
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  summary.interval =
      finite.empty() ? Interval{values.front(), kNone, kNone} : mean_interval(finite);
  return summary;
}

MetricSummary summarise_share(std::span<const double> values) {
  const auto ones = std::ranges::count_if(values, [](double value) { return value >= 0.5; });
  return {.interval = wilson_interval(ones, static_cast<int64_t>(values.size()))};
}

}  // namespace kvscope
