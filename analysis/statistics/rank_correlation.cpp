#include "analysis/statistics/rank_correlation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kMostPairsOfAllPermutations = 8;
constexpr int64_t kDraws = 9999;

/// Ranks less their mean, at unit length; empty where all are equal.
std::vector<double> unit_ranks(std::span<const double> values) {
  std::vector<double> ranks = average_ranks(values);
  const double mean = 0.5 * (static_cast<double>(ranks.size()) + 1);
  double squares = 0;
  for (double& rank : ranks) {
    rank -= mean;
    squares += rank * rank;
  }
  if (squares == 0) return {};
  for (double& rank : ranks) rank /= std::sqrt(squares);
  return ranks;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::clamp(std::inner_product(a.begin(), a.end(), b.begin(), 0.0), -1.0, 1.0);
}

/// Permutations whose |rho| equals the found one but for rounding are as large.
bool is_as_large(double permuted, double found) {
  constexpr double kRounding = 1e-12;
  return std::abs(permuted) >= std::abs(found) - kRounding;
}

/// Of all permutations. `y` is sorted first: equal values give the same permutation once, which
/// leaves the share as it is, as every distinct one stands for equally many.
double exact_p_value(const std::vector<double>& x, std::vector<double> y, double rho) {
  std::ranges::sort(y);
  int64_t all = 0;
  int64_t found = 0;
  do {
    ++all;
    found += is_as_large(product(x, y), rho) ? 1 : 0;
  } while (std::ranges::next_permutation(y).found);
  return static_cast<double>(found) / static_cast<double>(all);
}

double drawn_p_value(const std::vector<double>& x, std::vector<double> y, double rho) {
  std::mt19937_64 random(20260601);
  int64_t found = 0;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    // Not std::shuffle: its draws differ between standard libraries.
    for (size_t last = y.size() - 1; last > 0; --last) std::swap(y[last], y[random() % (last + 1)]);
    found += is_as_large(product(x, y), rho) ? 1 : 0;
  }
  return static_cast<double>(found + 1) / static_cast<double>(kDraws + 1);
}

}  // namespace

std::vector<double> average_ranks(std::span<const double> values) {
  if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    throw Error(ErrorKind::kConfig, "ranks of values one of which is not a number");
  }
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

RankCorrelation rank_correlation(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    throw Error(ErrorKind::kConfig, fmt::format("a rank correlation of {} with {} values; expected "
                                                "equally many",
                                                x.size(), y.size()));
  }
  std::vector<double> of_x;
  std::vector<double> of_y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    of_x.push_back(x[i]);
    of_y.push_back(y[i]);
  }
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  RankCorrelation result{.rho = kNan, .p_value = kNan, .pairs = std::ssize(of_x)};
  result.is_exact = result.pairs <= kMostPairsOfAllPermutations;
  const std::vector<double> unit_x = unit_ranks(of_x);
  const std::vector<double> unit_y = unit_ranks(of_y);
  if (unit_x.empty() || unit_y.empty()) return result;
  result.rho = product(unit_x, unit_y);
  result.p_value = result.is_exact ? exact_p_value(unit_x, unit_y, result.rho)
                                   : drawn_p_value(unit_x, unit_y, result.rho);
  return result;
}

}  // namespace kvscope
