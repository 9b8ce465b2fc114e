#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "analysis/statistics/distributions.h"
#include "analysis/statistics/paired_tests.h"
#include "analysis/statistics/rank_correlation.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMostPairsExactly = 50;      // of kAuto, without ties and zeros
constexpr int64_t kMostPairsEnumerated = 13;   // of kAuto, with such
constexpr int64_t kMostPairsWhenAsked = 2000;  // of kExact

/// Absolute differences as signed ranks; what the approximation needs to know of ties.
struct SignedRanks {
  std::vector<double> ranks{};  // of differences other than 0
  double above = 0;             // sum of the ranks of those above 0
  double below = 0;
  int64_t count = 0;         // pairs that have ranks, zeros too under Pratt
  int64_t ranked_zeros = 0;  // of these
  double tied_cubes = 0;     // t^3 - t of each group of t tied ranks of `ranks`
  bool has_ties = false;
};

SignedRanks signed_ranks(std::span<const double> differences, ZeroDifferences zeros) {
  std::vector<double> ranked;
  for (const double value : differences) {
    if (value != 0 || zeros == ZeroDifferences::kRankedThenLeft) ranked.push_back(value);
  }
  std::vector<double> magnitudes(ranked.size());
  std::ranges::transform(ranked, magnitudes.begin(), [](double value) { return std::abs(value); });
  const std::vector<double> ranks = average_ranks(magnitudes);
  SignedRanks result{.count = std::ssize(ranked)};
  std::map<double, double> ties;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (ranked[i] == 0) {
      ++result.ranked_zeros;
      continue;
    }
    (ranked[i] > 0 ? result.above : result.below) += ranks[i];
    result.ranks.push_back(ranks[i]);
    ++ties[ranks[i]];
  }
  for (const auto& [rank, tied] : ties) {
    result.tied_cubes += tied * tied * tied - tied;
    result.has_ties = result.has_ties || tied > 1;
  }
  return result;
}

PValues two_sided(double less, double greater) {
  return {
      .two_sided = std::min(1.0, 2 * std::min(less, greater)), .less = less, .greater = greater};
}

/// Probability of every sum of the ranks above 0, where `count` ranks have no ties.
std::vector<double> sum_probabilities(int64_t count) {
  std::vector<double> probabilities = {1.0};
  for (int64_t rank = 1; rank <= count; ++rank) {
    const auto step = static_cast<size_t>(rank);
    std::vector<double> next(probabilities.size() + step, 0.0);
    for (size_t sum = 0; sum < probabilities.size(); ++sum) {
      next[sum] += 0.5 * probabilities[sum];
      next[sum + step] += 0.5 * probabilities[sum];
    }
    probabilities = std::move(next);
  }
  return probabilities;
}

/// A sum between two that the distribution has counts as the less extreme of them on either side.
PValues exact_p(const SignedRanks& ranks) {
  const std::vector<double> probabilities = sum_probabilities(ranks.count);
  const auto up_to = [&](double most) {
    double sum = 0;
    for (size_t i = 0; i < probabilities.size() && static_cast<double>(i) <= most; ++i) {
      sum += probabilities[i];
    }
    return std::min(sum, 1.0);
  };
  // The distribution is symmetric: the tail above is as long as that below the mirrored sum.
  const auto largest = static_cast<double>(probabilities.size() - 1);
  return two_sided(up_to(std::ceil(ranks.above)), up_to(largest - std::floor(ranks.above)));
}

/// Over all signs of the ranks that there are.
PValues enumerated_p(const SignedRanks& ranks) {
  int64_t as_low = 0;
  int64_t as_high = 0;
  const uint64_t all = uint64_t{1} << ranks.ranks.size();
  for (uint64_t signs = 0; signs < all; ++signs) {
    double above = 0;  // halves: exact
    for (size_t i = 0; i < ranks.ranks.size(); ++i) {
      if ((signs >> i & 1) != 0) above += ranks.ranks[i];
    }
    as_low += above <= ranks.above ? 1 : 0;
    as_high += above >= ranks.above ? 1 : 0;
  }
  const auto share = [&](int64_t found) {
    return static_cast<double>(found) / static_cast<double>(all);
  };
  return two_sided(share(as_low), share(as_high));
}

/// Mean and standard error of the sum of the ranks above 0, without the ranks of zeros (Cureton
/// 1967) and with ties.
struct NormalSum {
  double mean = 0;
  double error = 0;
};

NormalSum normal_sum(const SignedRanks& ranks) {
  const auto moments = [](int64_t count) {
    const auto n = static_cast<double>(count);
    return NormalSum{n * (n + 1) / 4, n * (n + 1) * (2 * n + 1)};
  };
  const NormalSum all = moments(ranks.count);
  const NormalSum zeros = moments(ranks.ranked_zeros);
  return {all.mean - zeros.mean, std::sqrt((all.error - zeros.error - ranks.tied_cubes / 2) / 24)};
}

void approximate(const SignedRanks& ranks, bool corrected, WilcoxonTest& test) {
  const NormalSum sum = normal_sum(ranks);
  const double z = (ranks.above - sum.mean) / sum.error;
  if (std::isnan(z)) {
    test.p = {kNan, kNan, kNan};
    test.z = kNan;
    return;
  }
  const double half = corrected ? 0.5 / sum.error : 0.0;
  const double sign = z > 0 ? 1.0 : z < 0 ? -1.0 : 0.0;
  test.z = -std::abs(z - sign * half);
  test.p = {.two_sided = std::min(1.0, 2 * normal_upper_tail(-test.z)),
            .less = normal_upper_tail(-(z + half)),
            .greater = normal_upper_tail(z - half)};
}

bool is_normal(const SignedRanks& ranks, int64_t pairs, bool has_zeros, WilcoxonMethod method) {
  if (method != WilcoxonMethod::kAuto) return method == WilcoxonMethod::kNormal;
  return pairs > (ranks.has_ties || has_zeros ? kMostPairsEnumerated : kMostPairsExactly);
}

}  // namespace

WilcoxonTest wilcoxon_test(std::span<const double> differences, const WilcoxonOptions& options) {
  const SignedRanks ranks = signed_ranks(differences, options.zeros);
  const int64_t pairs = std::ssize(differences);
  const bool has_zeros = std::ranges::count(differences, 0.0) > 0;
  WilcoxonTest test{.statistic = std::min(ranks.above, ranks.below), .rank_sum = ranks.above};
  approximate(ranks, options.continuity_correction, test);
  if (is_normal(ranks, pairs, has_zeros, options.method)) return test;
  if (options.method == WilcoxonMethod::kAuto && (ranks.has_ties || has_zeros)) {
    test.p = enumerated_p(ranks);
    return test;
  }
  if (ranks.count > kMostPairsWhenAsked) {
    throw Error(ErrorKind::kConfig,
                fmt::format("the exact distribution of {} signed ranks; expected at most {}",
                            ranks.count, kMostPairsWhenAsked));
  }
  test.p = exact_p(ranks);
  return test;
}

}  // namespace kvscope
