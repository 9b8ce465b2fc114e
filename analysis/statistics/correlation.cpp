#include "analysis/statistics/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/statistics/rank_correlation.h"
#include "analysis/statistics/sample.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double pearson_correlation(std::span<const double> x, std::span<const double> y) {
  static_cast<void>(differences_of(x, y));  // equally many
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  double products = 0;
  double squares_x = 0;
  double squares_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mean_x) * (y[i] - mean_y);
    squares_x += (x[i] - mean_x) * (x[i] - mean_x);
    squares_y += (y[i] - mean_y) * (y[i] - mean_y);
  }
  if (x.size() < 2 || squares_x == 0 || squares_y == 0) return kNan;
  return std::clamp(products / std::sqrt(squares_x) / std::sqrt(squares_y), -1.0, 1.0);
}

double spearman_correlation(std::span<const double> x, std::span<const double> y) {
  return pearson_correlation(average_ranks(x), average_ranks(y));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  static_cast<void>(differences_of(x, y));  // equally many
  double agreeing = 0;                      // less those that disagree
  double untied_x = 0;
  double untied_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int order_x = static_cast<int>(x[i] > x[j]) - static_cast<int>(x[i] < x[j]);
      const int order_y = static_cast<int>(y[i] > y[j]) - static_cast<int>(y[i] < y[j]);
      agreeing += order_x * order_y;
      untied_x += order_x != 0 ? 1 : 0;
      untied_y += order_y != 0 ? 1 : 0;
    }
  }
  if (untied_x == 0 || untied_y == 0) return kNan;
  return std::clamp(agreeing / std::sqrt(untied_x) / std::sqrt(untied_y), -1.0, 1.0);
}

double cohen_dz(std::span<const double> differences) {
  const double deviation = standard_deviation(differences);
  return deviation == 0 ? kNan : mean_of(differences) / deviation;
}

}  // namespace kvscope
