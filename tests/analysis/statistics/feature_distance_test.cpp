#include "analysis/statistics/feature_distance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"

namespace kvscope {
namespace {

at::Tensor random_rows(int64_t rows, int64_t features, uint64_t seed) {
  return at::randn({rows, features}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kDouble);
}

TEST(FrechetDistance, OfDiagonalCovariancesIsKnown) {
  const at::Tensor deviations_a = at::tensor({1.0, 2.0, 0.0}, at::kDouble);
  const at::Tensor deviations_b = at::tensor({3.0, 0.5, 0.0}, at::kDouble);
  const FeatureMoments a{at::tensor({1.0, 0.0, 2.0}, at::kDouble), at::diag(deviations_a.square())};
  const FeatureMoments b{at::tensor({0.0, 0.0, 4.0}, at::kDouble), at::diag(deviations_b.square())};
  // |m1 - m2|^2 = 5, and (1 - 3)^2 + (2 - 0.5)^2 of the deviations.
  EXPECT_NEAR(frechet_distance(a, b), 5 + 4 + 2.25, 1e-12);
}

TEST(FrechetDistance, IsTheSameByRowsAndByMomentsAndVanishesOfEqualSets) {
  for (const int64_t rows : {7, 40}) {  // fewer and more than features
    const at::Tensor a = random_rows(rows, 16, 1);
    const at::Tensor b = random_rows(rows + 3, 16, 2) * 1.5 + 0.25;
    const double by_moments = frechet_distance(feature_moments(a), feature_moments(b));
    EXPECT_NEAR(frechet_distance(a, b), by_moments, 1e-6) << rows;
    EXPECT_NEAR(frechet_distance(a, a), 0, 1e-10);
  }
}

TEST(FrechetDistance, RefusesSingleRowsAndUnlikeFeatures) {
  EXPECT_THROW(frechet_distance(random_rows(1, 4, 1), random_rows(5, 4, 2)), Error);
  EXPECT_THROW(frechet_distance(random_rows(5, 4, 1), random_rows(5, 3, 2)), Error);
}

double naive_discrepancy(const at::Tensor& a, const at::Tensor& b) {
  const int64_t n = a.size(0);
  const auto kernel = [](const at::Tensor& x, const at::Tensor& y) {
    return std::pow(x.dot(y).item<double>() / static_cast<double>(x.numel()) + 1, 3);
  };
  double within = 0;
  double between = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (i != j) within += kernel(a[i], a[j]) + kernel(b[i], b[j]);
      between += kernel(a[i], b[j]);
    }
  }
  const auto rows = static_cast<double>(n);
  return within / (rows * (rows - 1)) - 2 * between / (rows * rows);
}

TEST(KernelDistance, OfSmallSetsIsTheUnbiasedDiscrepancyOfAllRows) {
  const at::Tensor a = random_rows(9, 6, 3);
  const at::Tensor b = random_rows(9, 6, 4) + 0.5;
  EXPECT_NEAR(kernel_distance(a, b), naive_discrepancy(a, b), 1e-9);
}

TEST(KernelDistance, OfSubsetsIsNearThatOfAllAndTheSameAgain) {
  const at::Tensor a = random_rows(60, 6, 5);
  const at::Tensor b = random_rows(60, 6, 6) + 1.0;
  const KernelDistanceSettings settings{.subsets = 50, .subset_size = 30};
  const double all = kernel_distance(a, b);
  const double parts = kernel_distance(a, b, settings);
  EXPECT_NEAR(parts, all, 0.25 * std::abs(all));
  EXPECT_NE(parts, all);
  EXPECT_EQ(parts, kernel_distance(a, b, settings));
}

}  // namespace
}  // namespace kvscope
