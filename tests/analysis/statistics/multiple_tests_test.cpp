#include "analysis/statistics/multiple_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

// The definitions, one hypothesis at a time: the smallest level at which it is rejected.

/// Holm rejects p_(1) .. p_(i) while each p_(j) (m + 1 - j) is within the level.
double holm_of(const std::vector<double>& p, double own) {
  double least = 0;
  for (const double other : p) {
    if (other > own) continue;
    const auto before = std::ranges::count_if(p, [&](double value) { return value < other; });
    least = std::max(least, other * static_cast<double>(std::ssize(p) - before));
  }
  return std::min(1.0, least);
}

/// Benjamini and Hochberg reject all up to the largest p_(j) with p_(j) m / j within the level.
double benjamini_hochberg_of(const std::vector<double>& p, double own) {
  double least = 1;
  for (const double other : p) {
    if (other < own) continue;
    const auto up_to = std::ranges::count_if(p, [&](double value) { return value <= other; });
    least = std::min(least, other * static_cast<double>(p.size()) / static_cast<double>(up_to));
  }
  return least;
}

TEST(MultipleTests, AreTheirDefinitions) {
  const std::vector<std::vector<double>> samples = {
      {0.01, 0.04, 0.03, 0.005}, {0.2, 0.2, 0.01, 0.9, 0.9}, {1, 0}, {0.5}, {}};
  for (const std::vector<double>& p : samples) {
    const std::vector<double> by_holm = holm(p);
    const std::vector<double> by_discovery = benjamini_hochberg(p);
    const std::vector<double> by_bonferroni = bonferroni(p);
    const std::vector<double> by_hochberg = hochberg(p);
    const std::vector<double> by_yekutieli = benjamini_yekutieli(p);
    ASSERT_EQ(by_holm.size(), p.size());
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(by_holm[i], holm_of(p, p[i]), 1e-15);
      EXPECT_NEAR(by_discovery[i], benjamini_hochberg_of(p, p[i]), 1e-15);
      // Each is bolder than the one before it.
      EXPECT_GE(by_bonferroni[i], by_holm[i]);
      EXPECT_GE(by_holm[i], by_hochberg[i]);
      EXPECT_GE(by_hochberg[i], by_discovery[i]);
      EXPECT_GE(by_yekutieli[i], by_discovery[i]);
    }
  }
}

TEST(MultipleTests, RefuseWhatIsNoProbability) {
  EXPECT_THROW(holm(std::vector<double>{0.5, -0.1}), Error);
  EXPECT_THROW(holm(std::vector<double>{1.5}), Error);
}

}  // namespace
}  // namespace kvscope
