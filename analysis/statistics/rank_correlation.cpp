#include "analysis/statistics/rank_correlation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kMostPairsOfAllPermutations = 8;
constexpr int64_t kDraws = 9999;

/// Ranks less their mean.
std::vector<double> centred_ranks(std::span<const double> values) {
  std::vector<double> ranks = average_ranks(values);
  for (double& rank : ranks) rank -= 0.5 * (static_cast<double>(ranks.size()) + 1);
  return ranks;
}

/// At unit length; empty where all are 0.
std::vector<double> to_unit_length(std::vector<double> values) {
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  if (squares == 0) return {};
  for (double& value : values) value /= std::sqrt(squares);
  return values;
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

/// Of drawn permutations within runs of so many values.
double drawn_p_value(const std::vector<double>& x,
                     std::vector<double> y,
                     double rho,
                     const std::vector<size_t>& runs) {
  std::mt19937_64 random(20260601);
  int64_t found = 0;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    size_t begin = 0;
    for (const size_t run : runs) {
      // Not std::shuffle: its draws differ between standard libraries.
      for (size_t left = run; left > 1; --left) {
        std::swap(y[begin + left - 1], y[begin + random() % left]);
      }
      begin += run;
    }
    found += is_as_large(product(x, y), rho) ? 1 : 0;
  }
  return static_cast<double>(found + 1) / static_cast<double>(kDraws + 1);
}

void require_equally_many(size_t x, size_t y) {
  if (x == y) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("a rank correlation of {} with {} values; expected equally many", x, y));
}

/// The pairs with a value on both sides as centred ranks, one stratum after the other.
struct RankedPairs {
  std::vector<double> x{};
  std::vector<double> y{};
  std::vector<size_t> runs{};  // pairs in each stratum
};

RankedPairs ranked_pairs(std::span<const double> x,
                         std::span<const double> y,
                         std::span<const int64_t> strata) {
  std::map<int64_t, std::pair<std::vector<double>, std::vector<double>>> values;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    values[strata[i]].first.push_back(x[i]);
    values[strata[i]].second.push_back(y[i]);
  }
  RankedPairs pairs;
  for (const auto& [stratum, of_stratum] : values) {
    const std::vector<double> ranks_x = centred_ranks(of_stratum.first);
    const std::vector<double> ranks_y = centred_ranks(of_stratum.second);
    pairs.x.insert(pairs.x.end(), ranks_x.begin(), ranks_x.end());
    pairs.y.insert(pairs.y.end(), ranks_y.begin(), ranks_y.end());
    pairs.runs.push_back(ranks_x.size());
  }
  return pairs;
}

RankCorrelation correlation_of(const RankedPairs& pairs) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  RankCorrelation result{.rho = kNan, .p_value = kNan, .pairs = std::ssize(pairs.x)};
  result.is_exact = pairs.runs.size() < 2 && result.pairs <= kMostPairsOfAllPermutations;
  const std::vector<double> unit_x = to_unit_length(pairs.x);
  const std::vector<double> unit_y = to_unit_length(pairs.y);
  if (unit_x.empty() || unit_y.empty()) return result;
  result.rho = product(unit_x, unit_y);
  result.p_value = result.is_exact ? exact_p_value(unit_x, unit_y, result.rho)
                                   : drawn_p_value(unit_x, unit_y, result.rho, pairs.runs);
  return result;
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
  require_equally_many(x.size(), y.size());
  return correlation_of(ranked_pairs(x, y, std::vector<int64_t>(x.size(), 0)));
}

RankCorrelation rank_correlation_within(std::span<const double> x,
                                        std::span<const double> y,
                                        std::span<const int64_t> strata) {
  require_equally_many(x.size(), y.size());
  require_equally_many(x.size(), strata.size());
  return correlation_of(ranked_pairs(x, y, strata));
}

}  // namespace kvscope
