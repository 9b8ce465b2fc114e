#include "analysis/statistics/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/statistics/distributions.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void require_confidence(double confidence) {
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("confidence {}; expected above 0 and below 1, as 0.95", confidence));
  }
}

/// The quantile's probability that leaves half of 1 - confidence above it.
double upper_probability(double confidence) {
  return 0.5 * (1.0 + confidence);
}

}  // namespace

Interval wilson_interval(int64_t successes, int64_t trials, double confidence) {
  require_confidence(confidence);
  if (successes < 0 || successes > trials) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} successes of {} trials; expected 0 <= successes <= trials",
                            successes, trials));
  }
  if (trials == 0) return {kNan, 0.0, 1.0};
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z = normal_quantile(upper_probability(confidence));
  const double scale = 1.0 / (1.0 + z * z / n);
  const double middle = scale * (p + z * z / (2 * n));
  const double reach = scale * z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // The ends at none and at all are 0 and 1 exactly; rounding must not say otherwise.
  return {p, successes == 0 ? 0.0 : std::max(middle - reach, 0.0),
          successes == trials ? 1.0 : std::min(middle + reach, 1.0)};
}

Interval mean_interval(std::span<const double> values, double confidence) {
  require_confidence(confidence);
  if (values.empty()) return {kNan, kNan, kNan};
  const double n = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double value : values) mean += value / n;
  if (values.size() == 1) return {mean, kNan, kNan};
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double t = student_t_quantile(upper_probability(confidence), n - 1);
  const double reach = t * std::sqrt(squares / (n - 1) / n);
  return {mean, mean - reach, mean + reach};
}

}  // namespace kvscope
