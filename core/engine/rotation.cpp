#include "core/engine/rotation.h"

#include <ATen/ATen.h>

#include "kernels/token_rows/token_rows.h"

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
  return rotate_rows(x, rotation.cosine, rotation.sine,
                     rotation.pairs == RotationPairs::kNeighbours);
}

}  // namespace kvscope
