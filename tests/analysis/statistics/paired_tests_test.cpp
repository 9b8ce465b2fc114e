// Tests of pairs against loops over every choice of signs, and what they say of hard cases.
// stats.json has what scipy says of them (experiments/verify).
#include "analysis/statistics/paired_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/statistics/correlation.h"
#include "analysis/statistics/rank_correlation.h"
#include "analysis/statistics/sample.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

/// Shares of all signs whose statistic is as low, as high and as far from 0 as with the signs
/// given.
template <typename Statistic>
PValues enumerated(const std::vector<double>& differences, Statistic statistic) {
  const double found = statistic(differences);
  double low = 0;
  double high = 0;
  double far = 0;
  const int all = 1 << differences.size();
  for (int signs = 0; signs < all; ++signs) {
    std::vector<double> flipped = differences;
    for (size_t i = 0; i < flipped.size(); ++i) {
      if ((signs >> i & 1) != 0) flipped[i] = -flipped[i];
    }
    const double other = statistic(flipped);
    low += other <= found + 1e-12 ? 1.0 : 0.0;
    high += other >= found - 1e-12 ? 1.0 : 0.0;
    far += std::abs(other) >= std::abs(found) - 1e-12 ? 1.0 : 0.0;
  }
  return {.two_sided = far / all, .less = low / all, .greater = high / all};
}

/// The sum of the signed ranks, differences of 0 left out before or behind.
double signed_rank_sum(const std::vector<double>& differences, bool ranks_zeros) {
  std::vector<double> kept;
  for (const double value : differences) {
    if (ranks_zeros || value != 0) kept.push_back(value);
  }
  std::vector<double> sizes;
  for (const double value : kept) sizes.push_back(std::abs(value));
  const std::vector<double> ranks = average_ranks(sizes);
  double sum = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    sum += kept[i] > 0 ? ranks[i] : kept[i] < 0 ? -ranks[i] : 0.0;
  }
  return sum;
}

const std::vector<std::vector<double>> kSamples = {
    {0.5, -0.25, 1.5, 2.0, -0.125, 0.75},            // no ties
    {1, 1, -1, 2, 2, 0, 3, -3, 0.5},                 // ties and a zero
    {0, 0, 0, 1},                                    // nearly all zeros
    {-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11},  // all on one side
};

TEST(WilcoxonTest, IsTheShareOfAllSigns) {
  for (const std::vector<double>& sample : kSamples) {
    for (const bool ranks_zeros : {false, true}) {
      const WilcoxonTest test = wilcoxon_test(
          sample,
          {.zeros = ranks_zeros ? ZeroDifferences::kRankedThenLeft : ZeroDifferences::kDropped});
      const PValues expected = enumerated(
          sample, [&](const auto& values) { return signed_rank_sum(values, ranks_zeros); });
      EXPECT_NEAR(test.p.less, expected.less, 1e-12);
      EXPECT_NEAR(test.p.greater, expected.greater, 1e-12);
      EXPECT_NEAR(test.p.two_sided, std::min(1.0, 2 * std::min(expected.less, expected.greater)),
                  1e-12);
    }
  }
}

TEST(WilcoxonTest, TheApproximationComesCloseToTheExactOne) {
  std::vector<double> sample;
  for (int i = 1; i <= 40; ++i) sample.push_back(i % 3 == 0 ? -i : i + 0.25);
  const double exact = wilcoxon_test(sample, {.method = WilcoxonMethod::kExact}).p.two_sided;
  const double normal =
      wilcoxon_test(sample, {.method = WilcoxonMethod::kNormal, .continuity_correction = true})
          .p.two_sided;
  EXPECT_NEAR(normal, exact, 0.05 * exact);
  EXPECT_EQ(wilcoxon_test(sample).p.two_sided, exact);
  EXPECT_THROW(wilcoxon_test(std::vector<double>(3000, 1.0), {.method = WilcoxonMethod::kExact}),
               Error);
}

TEST(SignFlipTest, CountsAllSignsOfFewPairs) {
  for (const std::vector<double>& sample : kSamples) {
    const PermutationTest test = sign_flip_test(sample, 100, 1);
    EXPECT_TRUE(test.is_exact);
    EXPECT_NEAR(test.p_two_sided, enumerated(sample, mean_of).two_sided, 1e-12);
  }
  EXPECT_EQ(sign_flip_test(std::vector<double>{0, 0}, 100, 1).p_two_sided, 1.0);
  EXPECT_TRUE(std::isnan(sign_flip_test({}, 100, 1).p_two_sided));
}

TEST(SignFlipTest, DrawsOfManyPairsComeCloseAndAreTheSameAgain) {
  // Of 80 differences of +-1, 50 above: the binomial tail says 0.0330.
  std::vector<double> sample(80, 1.0);
  std::fill(sample.begin() + 50, sample.end(), -1.0);
  const PermutationTest test = sign_flip_test(sample, 20000, 5);
  EXPECT_FALSE(test.is_exact);
  EXPECT_NEAR(test.p_two_sided, sign_test(sample), 0.004);
  EXPECT_EQ(sign_flip_test(sample, 20000, 5).p_two_sided, test.p_two_sided);
  EXPECT_NE(sign_flip_test(sample, 20000, 8).p_two_sided, test.p_two_sided);
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector<double>(60, 0.1), 999, 1).p_two_sided, 1e-3);
}

TEST(SignTest, IsMcNemarsExactTestOfZerosAndOnes) {
  // 9 pairs go one way, 2 the other: 2 (C(11,0) + C(11,1) + C(11,2)) / 2^11.
  std::vector<double> sample(20, 0.0);
  std::fill_n(sample.begin(), 9, 1.0);
  std::fill_n(sample.begin() + 9, 2, -1.0);
  EXPECT_NEAR(sign_test(sample), 2 * (1 + 11 + 55) / 2048.0, 1e-14);
  EXPECT_EQ(sign_test(std::vector<double>{1, -1}), 1.0);
  EXPECT_TRUE(std::isnan(sign_test(std::vector<double>{0, 0})));
}

TEST(PairedTTest, SaysNothingOfOnePairAndOfEqualOnes) {
  EXPECT_TRUE(std::isnan(paired_t_test(std::vector<double>{1}).p.two_sided));
  EXPECT_TRUE(std::isnan(paired_t_test(std::vector<double>{0, 0, 0}).p.two_sided));
  EXPECT_EQ(paired_t_test(std::vector<double>{0.7, 0.7, 0.7}).p.two_sided, 0.0);
}

TEST(EffectSize, IsTheMeanInDeviations) {
  EXPECT_DOUBLE_EQ(cohen_dz(std::vector<double>{1, 3}), 2 / std::sqrt(2.0));
  EXPECT_TRUE(std::isnan(cohen_dz(std::vector<double>{0.7, 0.7, 0.7})));
}

TEST(Correlation, SaysNothingOfConstants) {
  const std::vector<double> x = {1, 2, 3};
  const std::vector<double> same = {0.1, 0.1, 0.1};
  EXPECT_TRUE(std::isnan(pearson_correlation(x, same)));
  EXPECT_TRUE(std::isnan(kendall_tau_b(same, x)));
  EXPECT_THROW(kendall_tau_b(x, std::vector<double>{1.0}), Error);
}

}  // namespace
}  // namespace kvscope
