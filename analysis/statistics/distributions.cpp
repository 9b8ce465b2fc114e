#include "analysis/statistics/distributions.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// The continued fraction of the incomplete beta function by Lentz's method (Abramowitz and Stegun
/// 26.5.8); converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10000;
  const auto guarded = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1.0;
  double d = 1.0 / guarded(1.0 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1.0 / guarded(1.0 + even * d);
    c = guarded(1.0 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1.0 / guarded(1.0 + odd * d);
    c = guarded(1.0 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1.0) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

/// The regularised incomplete beta function I_x(a, b); y = 1 - x is passed along, for where it is
/// known without cancellation.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0.0) return 0.0;
  if (y <= 0.0) return 1.0;
  const double factor = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                 a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return factor * beta_fraction(a, b, x) / a;
  return 1.0 - factor * beta_fraction(b, a, y) / b;
}

void require_probability(double probability) {
  if (!(probability > 0.0 && probability < 1.0)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("quantile of probability {}; expected above 0 and below 1", probability));
  }
}

/// The t at which a falling tail, symmetric about 0, reaches `target`: bisection to the last bit.
template <typename Tail>
double invert_tail(Tail tail, double target) {
  if (target == 0.5) return 0.0;
  if (target > 0.5) return -invert_tail(tail, 1.0 - target);
  double low = 0.0;
  double high = 1.0;
  while (tail(high) > target && std::isfinite(high)) high *= 2;
  for (double middle = 0.5 * (low + high); middle > low && middle < high;
       middle = 0.5 * (low + high)) {
    (tail(middle) > target ? low : high) = middle;
  }
  return high;
}

}  // namespace

double normal_upper_tail(double z) {
  return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

double normal_quantile(double probability) {
  require_probability(probability);
  return invert_tail(normal_upper_tail, 1.0 - probability);
}

double student_t_upper_tail(double t, double degrees) {
  if (t < 0.0) return 1.0 - student_t_upper_tail(-t, degrees);
  const double square = t * t;
  if (std::isinf(square)) return 0.0;
  // A and S 26.7.1: both tails hold I_x(degrees / 2, 1 / 2), x = degrees / (degrees + t^2).
  return 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square),
                               square / (degrees + square));
}

double student_t_quantile(double probability, double degrees) {
  require_probability(probability);
  if (!(degrees > 0.0)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("Student's t with {} degrees of freedom; expected more than 0", degrees));
  }
  return invert_tail([degrees](double t) { return student_t_upper_tail(t, degrees); },
                     1.0 - probability);
}

}  // namespace kvscope
