#include "analysis/statistics/rank_correlation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// By counting: one more than the smaller values, and half a rank for every other equal one.
std::vector<double> naive_ranks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double rank = 0.5;
    for (const double other : values) rank += other < value ? 1 : other == value ? 0.5 : 0;
    ranks.push_back(rank);
  }
  return ranks;
}

/// Pearson's correlation of the ranks by its definition.
double naive_rho(const std::vector<double>& x, const std::vector<double>& y) {
  const std::vector<double> a = naive_ranks(x);
  const std::vector<double> b = naive_ranks(y);
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

/// Over all orders of the indices, equal values told apart.
double naive_p_value(const std::vector<double>& x, const std::vector<double>& y) {
  const double found = std::abs(naive_rho(x, y));
  std::vector<size_t> order(y.size());
  std::iota(order.begin(), order.end(), size_t{0});
  double all = 0;
  double as_large = 0;
  do {
    std::vector<double> permuted;
    for (const size_t i : order) permuted.push_back(y[i]);
    ++all;
    if (std::abs(naive_rho(x, permuted)) >= found - 1e-12) ++as_large;
  } while (std::ranges::next_permutation(order).found);
  return as_large / all;
}

TEST(AverageRanks, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_THAT(average_ranks(std::array{3.0, -kInfinity, 3.0, 10.0, kInfinity, 3.0}),
              testing::ElementsAre(3, 1, 3, 5, 6, 3));
  EXPECT_THAT(average_ranks({}), testing::IsEmpty());
  EXPECT_THROW(average_ranks(std::array{1.0, std::nan("")}), Error);
}

TEST(RankCorrelation, IsThatOfScipy) {
  // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), an example of its documentation.
  const RankCorrelation tied =
      rank_correlation(std::array{1.0, 2.0, 3.0, 4.0, 5.0}, std::array{5.0, 6.0, 7.0, 8.0, 7.0});
  EXPECT_NEAR(tied.rho, 0.8207826816681233, 1e-14);
  EXPECT_EQ(tied.pairs, 5);
  EXPECT_TRUE(tied.is_exact);
}

TEST(RankCorrelation, OfFewPairsCountsEveryPermutation) {
  std::mt19937_64 random(7);
  for (int sample = 0; sample < 12; ++sample) {
    std::vector<double> x;
    std::vector<double> y;
    for (int i = 0; i < 2 + sample % 5; ++i) {  // few values, so that many are equal
      x.push_back(static_cast<double>(random() % 4));
      y.push_back(static_cast<double>(random() % 4));
    }
    const double rho = naive_rho(x, y);
    const RankCorrelation found = rank_correlation(x, y);
    if (std::isnan(rho)) {
      EXPECT_TRUE(std::isnan(found.rho) && std::isnan(found.p_value));
      continue;
    }
    EXPECT_NEAR(found.rho, rho, 1e-12);
    EXPECT_NEAR(found.p_value, naive_p_value(x, y), 1e-12);
  }
}

TEST(RankCorrelation, OfManyPairsDrawsPermutations) {
  std::mt19937_64 random(11);
  std::vector<double> x;
  std::vector<double> like;
  std::vector<double> unlike;
  for (int i = 0; i < 40; ++i) {
    x.push_back(static_cast<double>(random() % 1000));
    like.push_back(-std::exp(x.back() / 100));
    unlike.push_back(static_cast<double>(random() % 1000));
  }
  const RankCorrelation falling = rank_correlation(x, like);
  EXPECT_NEAR(falling.rho, -1, 1e-12);
  EXPECT_DOUBLE_EQ(falling.p_value, 1.0 / 10000);
  EXPECT_FALSE(falling.is_exact);
  // Student's approximation, which permutations agree with at this size.
  const RankCorrelation none = rank_correlation(x, unlike);
  EXPECT_NEAR(none.rho, naive_rho(x, unlike), 1e-12);
  const double t = none.rho * std::sqrt(38 / (1 - none.rho * none.rho));
  EXPECT_NEAR(none.p_value, std::erfc(std::abs(t) / std::sqrt(2.0)), 0.03);
  EXPECT_EQ(rank_correlation(x, unlike).p_value, none.p_value);
}

TEST(RankCorrelation, WithinStrataTheirLevelsDoNotCount) {
  // Within each stratum y falls as x rises; between them both rise.
  const std::array x{1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 21.0, 22.0, 23.0};
  const std::array y{3.0, 2.0, 1.0, 13.0, 12.0, 11.0, 23.0, 22.0, 21.0};
  const std::array<int64_t, 9> strata{0, 0, 0, 1, 1, 1, 2, 2, 2};
  EXPECT_GT(rank_correlation(x, y).rho, 0.7);
  const RankCorrelation within = rank_correlation_within(x, y, strata);
  EXPECT_NEAR(within.rho, -1, 1e-12);
  // Of the 6^3 permutations two are as large: all falling, all rising.
  EXPECT_NEAR(within.p_value, 2.0 / 216, 0.004);
  EXPECT_EQ(within.pairs, 9);
  EXPECT_FALSE(within.is_exact);
  // A stratum of one pair changes nothing.
  const RankCorrelation more =
      rank_correlation_within(std::array{1.0, 2.0, 3.0, 99.0}, std::array{5.0, 7.0, 6.0, -99.0},
                              std::array<int64_t, 4>{4, 4, 4, 1});
  EXPECT_NEAR(more.rho, 0.5, 1e-12);
}

TEST(RankCorrelation, LeavesOutPairsWithoutAValueAndKnowsWhenThereIsNone) {
  const double nan = std::nan("");
  const RankCorrelation some =
      rank_correlation(std::array{1.0, nan, 2.0, 3.0}, std::array{-kInfinity, 9.0, 5.0, kInfinity});
  EXPECT_EQ(some.pairs, 3);
  EXPECT_NEAR(some.rho, 1, 1e-15);
  EXPECT_NEAR(some.p_value, 2.0 / 6, 1e-15);
  EXPECT_TRUE(std::isnan(rank_correlation(std::array{1.0, 1.0}, std::array{1.0, 2.0}).rho));
  EXPECT_TRUE(std::isnan(rank_correlation(std::array{1.0}, std::array{2.0}).p_value));
  EXPECT_THROW(rank_correlation(std::array{1.0}, std::array{1.0, 2.0}), Error);
}

}  // namespace
}  // namespace kvscope
