#include "analysis/statistics/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return kNan;
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  // What rounding of the sum lost, added again: the mean of equal values is one of them.
  double rest = 0;
  for (const double value : values) rest += value - mean;
  return std::isfinite(rest) ? mean + rest / count : mean;
}

double median_value(std::span<const double> values) {
  return quantile_of(values, 0.5);
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double quantile_of(std::span<const double> values, double probability) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return quantile_of_sorted(sorted, probability);
}

double quantile_of_sorted(std::span<const double> sorted, double probability) {
  if (!(probability >= 0 && probability <= 1)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("quantile of probability {}; expected 0 to 1", probability));
  }
  if (sorted.empty()) return kNan;
  const double place = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = place - static_cast<double>(below);
  return part == 0 ? sorted[below] : std::lerp(sorted[below], sorted[below + 1], part);
}

std::vector<double> differences_of(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    throw Error(ErrorKind::kConfig, fmt::format("pairs of {} with {} values; expected equally many",
                                                x.size(), y.size()));
  }
  std::vector<double> differences;
  differences.reserve(x.size());
  std::ranges::transform(x, y, std::back_inserter(differences), std::minus<>{});
  return differences;
}

}  // namespace kvscope
