#include "analysis/statistics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/statistics/sample.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(Bootstrap, PercentilesOfThreeValuesAreThoseOfAllResamples) {
  const std::vector<double> values = {0, 1, 5};
  std::vector<double> means;
  for (const double a : values) {
    for (const double b : values) {
      for (const double c : values) means.push_back((a + b + c) / 3);
    }
  }
  const Interval interval = bootstrap_interval(
      values, mean_of, {.method = BootstrapMethod::kPercentile, .confidence = 0.8});
  EXPECT_DOUBLE_EQ(interval.estimate, 2);
  EXPECT_NEAR(interval.low, quantile_of(means, 0.1), 0.05);
  EXPECT_NEAR(interval.high, quantile_of(means, 0.9), 0.05);
}

TEST(Bootstrap, BcaIsThatOfScipy) {
  // scipy.stats.bootstrap((x,), numpy.mean, n_resamples=200000, method="BCa").
  const std::vector<double> skewed = {0.1, 0.2, 0.2, 0.3, 0.5, 0.7, 1.1, 1.9, 3.5, 8.0};
  const Interval bca = bootstrap_interval(skewed, mean_of, {.resamples = 100000});
  EXPECT_NEAR(bca.low, 0.67, 0.02);
  EXPECT_NEAR(bca.high, 4.11, 0.06);
  const Interval plain = bootstrap_interval(
      skewed, mean_of, {.method = BootstrapMethod::kPercentile, .resamples = 100000});
  EXPECT_GT(bca.high, plain.high + 0.4);  // the long tail is above
}

TEST(Bootstrap, DependsOnItsSeedAlone) {
  const std::vector<double> values = {0.313, -0.127, 0.809, 0.441, 0.257, 0.633};
  const Interval first = bootstrap_interval(values, mean_of, {.seed = 3});
  const Interval again = bootstrap_interval(values, mean_of, {.seed = 3});
  const Interval other = bootstrap_interval(values, mean_of, {.seed = 4});
  EXPECT_EQ(first.low, again.low);
  EXPECT_NE(first.low, other.low);
  EXPECT_NEAR(first.low, other.low, 0.05);
}

TEST(Bootstrap, EqualValuesHaveNoWidthAndOneHasNoInterval) {
  const Interval equal = bootstrap_interval(std::vector<double>{0.1, 0.1, 0.1}, mean_of);
  EXPECT_DOUBLE_EQ(equal.low, 0.1);
  EXPECT_DOUBLE_EQ(equal.high, 0.1);
  EXPECT_TRUE(std::isnan(bootstrap_interval(std::vector<double>{2}, mean_of).low));
  EXPECT_TRUE(std::isnan(bootstrap_interval({}, mean_of).estimate));
  EXPECT_THROW(bootstrap_interval(std::vector<double>{1, 2}, mean_of, {.confidence = 1}), Error);
  EXPECT_THROW(bootstrap_interval(std::vector<double>{1, 2}, mean_of, {.resamples = 0}), Error);
}

TEST(Sample, QuantilesInterpolateBetweenOrderStatistics) {
  const std::vector<double> values = {4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(quantile_of(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile_of(values, 1), 4);
  EXPECT_DOUBLE_EQ(median_value(values), 2.5);
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.9), 3.7);
  EXPECT_THROW(quantile_of(values, 1.1), Error);
  EXPECT_TRUE(std::isnan(standard_deviation(std::vector<double>{1})));
}

}  // namespace
}  // namespace kvscope
