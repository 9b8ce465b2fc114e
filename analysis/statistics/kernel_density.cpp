#include "analysis/statistics/kernel_density.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/base/error.h"

namespace kvscope {

std::vector<double> kernel_density(std::span<const double> values, std::span<const double> at) {
  if (values.empty()) throw Error(ErrorKind::kConfig, "a density of no values");
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  const double narrow = 1e-3 * std::max(1.0, std::abs(mean));
  const double width = deviation > 0 ? deviation * std::pow(count, -0.2) : narrow;
  const double scale = 1 / (count * width * std::sqrt(2 * std::numbers::pi));
  std::vector<double> densities;
  densities.reserve(at.size());
  for (const double place : at) {
    double sum = 0;
    for (const double value : values) {
      const double distance = (place - value) / width;
      sum += std::exp(-distance * distance / 2);
    }
    densities.push_back(sum * scale);
  }
  return densities;
}

}  // namespace kvscope
