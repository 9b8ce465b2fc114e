// Rotations against their definitions in double.
#include "core/models/shared/rotation_tables.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kvscope {
namespace {

TEST(LineRotation, TurnsHalves) {
  constexpr int64_t kDim = 10;
  const RotationTable table = line_rotation(40, kDim, 500.0);
  const at::Tensor positions = at::tensor({0, 3, 39, 7}, at::kLong).view({2, 2});
  const at::Tensor x = at::randn({2, 3, 2, kDim});
  const at::Tensor turned = rotate(x, at_positions(table, positions));
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t token = 0; token < 2; ++token) {
      const auto position = static_cast<double>(positions[row][token].item<int64_t>());
      for (int64_t j = 0; j < kDim / 2; ++j) {
        const double angle = position * std::pow(500.0, -2.0 * static_cast<double>(j) / kDim);
        const double a = x[row][1][token][j].item<double>();
        const double b = x[row][1][token][j + kDim / 2].item<double>();
        EXPECT_NEAR(turned[row][1][token][j].item<double>(),
                    a * std::cos(angle) - b * std::sin(angle), 1e-5);
        EXPECT_NEAR(turned[row][1][token][j + kDim / 2].item<double>(),
                    b * std::cos(angle) + a * std::sin(angle), 1e-5);
      }
    }
  }
}

TEST(GridRotation, TurnsNeighboursByRowThenColumnAndZeroesTheCondition) {
  constexpr int64_t kDim = 12;  // half 6: 3 frequencies an axis
  constexpr int64_t kCondition = 4;
  constexpr int64_t kWidth = 5;
  const RotationTable table = grid_rotation(kCondition, 3, kWidth, kDim, 10000);
  ASSERT_EQ(table.cosine.size(0), kCondition + 15);
  const at::Tensor positions = at::arange(kCondition + 15).unsqueeze(0);
  const at::Tensor x = at::randn({2, 1, kCondition + 15, kDim});
  const at::Tensor turned = rotate(x, at_positions(table, positions));
  EXPECT_EQ(turned.narrow(2, 0, kCondition).abs().max().item<double>(), 0);
  for (int64_t token = 0; token < 15; ++token) {
    for (int64_t pair = 0; pair < kDim / 2; ++pair) {
      const auto along = static_cast<double>(pair < 3 ? token / kWidth : token % kWidth);
      const double angle = along * std::pow(10000.0, -2.0 * static_cast<double>(pair % 3) / 6);
      const double a = x[1][0][kCondition + token][2 * pair].item<double>();
      const double b = x[1][0][kCondition + token][2 * pair + 1].item<double>();
      EXPECT_NEAR(turned[1][0][kCondition + token][2 * pair].item<double>(),
                  a * std::cos(angle) - b * std::sin(angle), 1e-5);
      EXPECT_NEAR(turned[1][0][kCondition + token][2 * pair + 1].item<double>(),
                  b * std::cos(angle) + a * std::sin(angle), 1e-5);
    }
  }
}

TEST(Rotation, KeepsTheType) {
  const at::Tensor x = at::randn({1, 1, 3, 8}).to(at::kBFloat16);
  const at::Tensor positions = at::arange(3).unsqueeze(0);
  EXPECT_EQ(rotate(x, at_positions(line_rotation(3, 8, 10000), positions)).scalar_type(),
            at::kBFloat16);
  EXPECT_EQ(rotate(x, at_positions(grid_rotation(0, 1, 3, 8, 10000), positions)).scalar_type(),
            at::kBFloat16);
}

}  // namespace
}  // namespace kvscope
