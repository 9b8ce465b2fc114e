#include "core/engine/rotation.h"

#include <ATen/ATen.h>

namespace kvscope {

RotationTable on_device(const RotationTable& table, at::Device device) {
  RotationTable moved = table;
  moved.cosine = table.cosine.to(device);
  moved.sine = table.sine.to(device);
  return moved;
}

Rotation at_positions(const RotationTable& table, const at::Tensor& positions) {
  const at::Tensor flat = positions.reshape({-1}).to(table.cosine.device());
  const auto rows = [&](const at::Tensor& values) {
    return values.index_select(0, flat).view(
        {positions.size(0), 1, positions.size(1), values.size(1)});
  };
  return {.cosine = rows(table.cosine), .sine = rows(table.sine), .pairs = table.pairs};
}

Rotation inverse(const Rotation& rotation) {
  const at::Tensor square = rotation.cosine.square() + rotation.sine.square();
  const auto scaled = [&](const at::Tensor& values) {
    return at::where(square > 0, values / square, at::zeros_like(square));
  };
  return {
      .cosine = scaled(rotation.cosine), .sine = scaled(-rotation.sine), .pairs = rotation.pairs};
}

at::Tensor rotate(const at::Tensor& x, const Rotation& rotation) {
  if (rotation.pairs == RotationPairs::kHalves) {
    const at::Tensor cosine = rotation.cosine.to(x.scalar_type());
    const at::Tensor sine = rotation.sine.to(x.scalar_type());
    const std::vector<at::Tensor> half = x.chunk(2, -1);
    return at::cat({half[0] * cosine - half[1] * sine, half[1] * cosine + half[0] * sine}, -1);
  }
  const at::Tensor pairs = x.to(at::kFloat).unflatten(-1, {-1, 2});
  const at::Tensor even = pairs.select(-1, 0);
  const at::Tensor odd = pairs.select(-1, 1);
  return at::stack({even * rotation.cosine - odd * rotation.sine,
                    odd * rotation.cosine + even * rotation.sine},
                   -1)
      .flatten(-2)
      .to(x.scalar_type());
}

}  // namespace kvscope
