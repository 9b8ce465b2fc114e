#include "analysis/statistics/kernel_density.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(KernelDensity, IsTheSumOfGaussiansOfScottsWidth) {
  const std::vector<double> values = {0.0, 1.0, 3.0};
  // s^2 = (16/9 + 1/9 + 25/9) / 2 = 7/3.
  const double width = std::sqrt(7.0 / 3) * std::pow(3.0, -0.2);
  const std::vector<double> at = {-1.0, 0.5, 10.0};
  const std::vector<double> found = kernel_density(values, at);
  for (size_t i = 0; i < at.size(); ++i) {
    double expected = 0;
    for (const double value : values) {
      expected +=
          std::exp(-std::pow((at[i] - value) / width, 2) / 2) / (width * std::sqrt(2 * M_PI)) / 3;
    }
    EXPECT_NEAR(found[i], expected, 1e-12);
  }
}

TEST(KernelDensity, IntegratesToOneAlsoOfEqualValues) {
  for (const std::vector<double>& values :
       {std::vector<double>{2, 2, 2}, std::vector<double>{5}, std::vector<double>{-1, 0, 4, 4.5}}) {
    std::vector<double> at;
    const double step = 1e-4;
    for (double x = -10; x < 15; x += step) at.push_back(x);
    double sum = 0;
    for (const double density : kernel_density(values, at)) sum += density * step;
    EXPECT_NEAR(sum, 1, 1e-3);
  }
  EXPECT_THROW(kernel_density({}, std::vector<double>{0}), Error);
}

}  // namespace
}  // namespace kvscope
