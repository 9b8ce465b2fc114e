#include "analysis/statistics/interval.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "analysis/statistics/distributions.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(Distributions, TailsAndQuantilesAreThoseOfScipy) {
  const double tails[][3] = {{0.5, 1, 0.35241638234956674},   {0.5, 4, 0.32166498159093165},
                             {0.5, 30, 0.3103615024425636},   {2.0, 1, 0.14758361765043326},
                             {2.0, 4, 0.05805826175840778},   {2.0, 30, 0.027312522481491547},
                             {4.5, 1, 0.06960448727306395},   {4.5, 4, 0.005411275231304124},
                             {4.5, 30, 4.759679696056222e-05}};
  for (const auto& [t, degrees, expected] : tails) {
    EXPECT_NEAR(student_t_upper_tail(t, degrees) / expected, 1.0, 1e-11) << t << " " << degrees;
    EXPECT_NEAR(student_t_upper_tail(-t, degrees), 1.0 - expected, 1e-14);
  }
  const double quantiles[][2] = {{1, 12.706204736174694},
                                 {2, 4.302652729749462},
                                 {5, 2.5705818356363146},
                                 {29, 2.045229642132703},
                                 {100, 1.9839715185235518}};
  for (const auto& [degrees, expected] : quantiles) {
    EXPECT_NEAR(student_t_quantile(0.975, degrees), expected, 1e-10 * expected);
    EXPECT_NEAR(student_t_quantile(0.025, degrees), -expected, 1e-10 * expected);
  }
  EXPECT_NEAR(normal_upper_tail(1.96), 0.024997895148220435, 1e-16);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_THROW(normal_quantile(1.0), Error);
  EXPECT_THROW(student_t_quantile(0.9, 0.0), Error);
}

TEST(MeanInterval, IsThatOfScipy) {
  const Interval small = mean_interval(std::array{3.0, 1.0, 2.0});
  EXPECT_NEAR(small.estimate, 2.0, 1e-15);
  EXPECT_NEAR(small.high - small.estimate, 2.4841377117503303, 1e-10);
  const Interval ten = mean_interval(
      std::array{-0.902, 0.493, 0.275, -0.554, 1.206, -0.737, 0.26, 0.971, 0.335, 1.165});
  EXPECT_NEAR(ten.estimate, 0.2512, 1e-15);
  EXPECT_NEAR(ten.estimate - ten.low, 0.5482160828478699, 1e-11);
}

TEST(MeanInterval, TooFewValuesHaveNoEnds) {
  const Interval one = mean_interval(std::array{4.0});
  EXPECT_EQ(one.estimate, 4.0);
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
  EXPECT_TRUE(std::isnan(mean_interval({}).estimate));
  EXPECT_THROW(mean_interval(std::array{1.0, 2.0}, 95.0), Error);
}

TEST(WilsonInterval, EndsSolveTheScoreEquation) {
  const double z = normal_quantile(0.975);
  for (const auto& [successes, trials] : {std::pair{8, 10}, {1, 7}, {50, 100}, {552, 553}}) {
    const Interval interval = wilson_interval(successes, trials);
    EXPECT_DOUBLE_EQ(interval.estimate, static_cast<double>(successes) / trials);
    for (const double end : {interval.low, interval.high}) {
      EXPECT_NEAR(std::abs(interval.estimate - end), z * std::sqrt(end * (1 - end) / trials),
                  1e-12);
    }
  }
  // Known values, two decimals more than tables give.
  EXPECT_NEAR(wilson_interval(8, 10).low, 0.4902, 1e-4);
  EXPECT_NEAR(wilson_interval(8, 10).high, 0.9433, 1e-4);
}

TEST(WilsonInterval, StaysWithinZeroAndOne) {
  EXPECT_EQ(wilson_interval(0, 10).low, 0.0);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.2775, 1e-4);
  EXPECT_EQ(wilson_interval(10, 10).high, 1.0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1.0);
  EXPECT_THROW(wilson_interval(11, 10), Error);
  EXPECT_THROW(wilson_interval(-1, 10), Error);
  EXPECT_THROW(wilson_interval(1, 10, 1.0), Error);
}

}  // namespace
}  // namespace kvscope
