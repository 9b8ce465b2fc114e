#pragma once

#include <span>
#include <vector>

namespace kvscope {

/// NaN of none.
double mean_of(std::span<const double> values);

/// The middle value, or the mean of the two in the middle; NaN of none.
double median_value(std::span<const double> values);

/// With divisor n - 1; NaN below two values.
double standard_deviation(std::span<const double> values);

/// The value below which this share of them lies, 0 <= probability <= 1, by linear interpolation
/// between order statistics (Hyndman and Fan's type 7, numpy's default). NaN of none. Throws
/// Error(kConfig) for another probability.
double quantile_of(std::span<const double> values, double probability);

/// The same of values that are ascending already.
double quantile_of_sorted(std::span<const double> sorted, double probability);

/// x - y of each pair. Throws Error(kConfig) for sides of unlike length.
std::vector<double> differences_of(std::span<const double> x, std::span<const double> y);

}  // namespace kvscope
