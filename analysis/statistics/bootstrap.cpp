#include "analysis/statistics/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "analysis/statistics/counted_random.h"
#include "analysis/statistics/distributions.h"
#include "analysis/statistics/sample.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The statistic of every resample, ascending.
std::vector<double> resampled(std::span<const double> values,
                              const SampleStatistic& statistic,
                              const BootstrapOptions& options) {
  const auto count = static_cast<uint32_t>(values.size());
  std::vector<double> statistics;
  statistics.reserve(static_cast<size_t>(options.resamples));
  std::vector<double> drawn(values.size());
  for (int64_t resample = 0; resample < options.resamples; ++resample) {
    const uint64_t first = static_cast<uint64_t>(resample) * count;
    for (size_t i = 0; i < drawn.size(); ++i) {
      drawn[i] = values[below_limit(counted_random(options.seed, first + i), count)];
    }
    statistics.push_back(statistic(drawn));
  }
  std::ranges::sort(statistics);
  return statistics;
}

/// How skewed the statistic is, by leaving out each value in turn.
double acceleration(std::span<const double> values, const SampleStatistic& statistic) {
  std::vector<double> rest(values.begin() + 1, values.end());
  std::vector<double> left_out;
  left_out.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    left_out.push_back(statistic(rest));
    if (i < rest.size()) rest[i] = values[i];
  }
  const double mean = mean_of(left_out);
  double squares = 0;
  double cubes = 0;
  for (const double value : left_out) {
    const double influence = mean - value;
    squares += influence * influence;
    cubes += influence * influence * influence;
  }
  return squares == 0 ? 0.0 : cubes / (6 * std::pow(squares, 1.5));
}

/// The probabilities of the quantiles that BCa takes; those of the percentile interval where it is
/// not defined.
std::pair<double, double> bca_probabilities(std::span<const double> sorted,
                                            double estimate,
                                            double acceleration,
                                            std::pair<double, double> plain) {
  const auto below = std::ranges::lower_bound(sorted, estimate) - sorted.begin();
  const auto not_above = std::ranges::upper_bound(sorted, estimate) - sorted.begin();
  const double share =
      0.5 * static_cast<double>(below + not_above) / static_cast<double>(sorted.size());
  if (share <= 0 || share >= 1) return plain;
  const double bias = normal_quantile(share);
  const auto corrected = [&](double probability) {
    const double z = bias + normal_quantile(probability);
    return 1 - normal_upper_tail(bias + z / (1 - acceleration * z));
  };
  const std::pair result(corrected(plain.first), corrected(plain.second));
  return result.first < result.second ? result : plain;
}

}  // namespace

Interval bootstrap_interval(std::span<const double> values,
                            const SampleStatistic& statistic,
                            const BootstrapOptions& options) {
  if (!(options.confidence > 0 && options.confidence < 1)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("confidence {}; expected above 0 and below 1, as 0.95", options.confidence));
  }
  if (options.resamples < 1 || values.size() > std::numeric_limits<uint32_t>::max()) {
    throw Error(ErrorKind::kConfig, fmt::format("{} bootstrap resamples of {} values",
                                                options.resamples, values.size()));
  }
  if (values.empty()) return {kNan, kNan, kNan};
  const double estimate = statistic(values);
  if (values.size() == 1) return {estimate, kNan, kNan};
  const std::vector<double> sorted = resampled(values, statistic, options);
  const double tail = 0.5 * (1 - options.confidence);
  std::pair probabilities(tail, 1 - tail);
  if (options.method == BootstrapMethod::kBca) {
    probabilities =
        bca_probabilities(sorted, estimate, acceleration(values, statistic), probabilities);
  }
  return {estimate, quantile_of_sorted(sorted, probabilities.first),
          quantile_of_sorted(sorted, probabilities.second)};
}

}  // namespace kvscope
