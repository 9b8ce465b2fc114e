#include "core/engine/rotation.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "core/engine/in_cache_positions.h"

namespace kvscope {
namespace {

RotationTable table_of(RotationPairs pairs, double radius) {
  auto generator = at::detail::createCPUGenerator(5);
  const at::Tensor angles = at::randn({9, 3}, generator) * 4;
  return {.cosine = angles.cos() * radius, .sine = angles.sin() * radius, .pairs = pairs};
}

TEST(InverseRotation, UndoesAnyOther) {
  auto generator = at::detail::createCPUGenerator(6);
  const at::Tensor x = at::randn({2, 3, 4, 6}, generator);
  const at::Tensor positions = at::tensor({1, 8, 0, 3}, at::kLong).view({1, 4});
  for (const RotationPairs pairs : {RotationPairs::kHalves, RotationPairs::kNeighbours}) {
    for (const double radius : {1.0, 0.6}) {  // an interpolated table lies inside the circle
      const Rotation there = at_positions(table_of(pairs, radius), positions);
      const at::Tensor turned = rotate(x, there);
      EXPECT_GT((turned - x).abs().max().item<double>(), 0.5);
      EXPECT_LT((rotate(turned, inverse(there)) - x).abs().max().item<double>(), 2e-6);
    }
  }
}

TEST(InverseRotation, OfNothingIsNothing) {
  const Rotation none{.cosine = at::zeros({1, 1, 2, 3}), .sine = at::zeros({1, 1, 2, 3})};
  EXPECT_TRUE(at::equal(rotate(at::ones({1, 1, 2, 6}), inverse(none)), at::zeros({1, 1, 2, 6})));
}

TEST(PackedPositions, CloseTheGaps) {
  constexpr int64_t kDim = 4;
  const at::Tensor angle =
      at::outer(at::arange(40, at::kFloat), at::tensor({1.0F, 0.3F}, at::kFloat));
  const RotationTable line{.cosine = angle.cos(), .sine = angle.sin(), .is_line = true};
  auto generator = at::detail::createCPUGenerator(7);
  const at::Tensor plain = at::randn({3, 5, kDim}, generator);
  const at::Tensor positions = at::tensor({0, 2, 3, 20, 39}, at::kLong);
  const auto placed = [&](const at::Tensor& at) {
    return rotate(plain.unsqueeze(0), at_positions(line, at.unsqueeze(0))).squeeze(0);
  };
  const at::Tensor packed = at_packed_positions(placed(positions), line, positions);
  EXPECT_LT((packed - placed(at::arange(5, at::kLong))).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace kvscope
