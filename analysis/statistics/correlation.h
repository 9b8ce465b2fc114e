#pragma once

#include <span>

namespace kvscope {

// How the values of pairs go together, -1 to 1; NaN below two pairs, or where one side has a single
// value. Throw Error(kConfig) for sides of unlike length, and where a value is NaN.

/// Pearson's r.
double pearson_correlation(std::span<const double> x, std::span<const double> y);

/// Spearman's rho: Pearson's of average ranks.
double spearman_correlation(std::span<const double> x, std::span<const double> y);

/// Kendall's tau-b, which counts ties on either side. Takes time by the square of the pairs.
double kendall_tau_b(std::span<const double> x, std::span<const double> y);

/// Cohen's d of pairs, d_z: the mean difference over the standard deviation of the differences. NaN
/// below two pairs and where all differences are equal.
double cohen_dz(std::span<const double> differences);

}  // namespace kvscope
