#pragma once

#include <span>
#include <vector>

namespace kvscope {

/// The density of `values` at each of `at` by Gaussian kernels of Scott's width, s n^(-1/5), s the
/// standard deviation with divisor n - 1 (Scott 1992). Values that are all alike get a narrow
/// kernel. Throws Error(kConfig) for no values.
std::vector<double> kernel_density(std::span<const double> values, std::span<const double> at);

}  // namespace kvscope
