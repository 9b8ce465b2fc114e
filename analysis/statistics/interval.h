#pragma once

#include <cstdint>
#include <span>

namespace kvscope {

/// An estimate and the ends of its two-sided confidence interval.
struct Interval {
  double estimate = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// The proportion successes / trials with Wilson's score interval (1927), which stays within 0..1
/// and is sensible at 0 and at all successes; 0..1 around NaN when there were no trials.
/// Error(kConfig) unless 0 <= successes <= trials and 0 < confidence < 1.
Interval wilson_interval(int64_t successes, int64_t trials, double confidence = 0.95);

/// The mean with Student's t interval: mean +- t(n - 1) * s / sqrt(n), s with divisor n - 1. Ends
/// are NaN for fewer than two values, all is NaN for none. Error(kConfig) unless
/// 0 < confidence < 1.
Interval mean_interval(std::span<const double> values, double confidence = 0.95);

}  // namespace kvscope
