#include "core/models/next_token/rotation.h"

#include <ATen/ATen.h>

namespace kvscope::next_token {
namespace {

// theta^(-2 j / dim), j = 0 .. dim / 2 - 1, in fp32 as the references compute them.
at::Tensor frequencies(int64_t dim, double theta) {
  const at::Tensor exponent = at::arange(0, dim, 2, at::kFloat) / static_cast<double>(dim);
  return 1.0 / at::pow(at::scalar_tensor(theta, at::kFloat), exponent);
}

}  // namespace

RotationTable line_rotation(int64_t positions, int64_t head_dim, double theta) {
  const at::Tensor angle =
      at::outer(at::arange(positions, at::kFloat), frequencies(head_dim, theta));
  return {.cosine = angle.cos(), .sine = angle.sin(), .pairs = RotationPairs::kHalves};
}

RotationTable grid_rotation(
    int64_t condition_tokens, int64_t height, int64_t width, int64_t head_dim, double theta) {
  const at::Tensor frequency = frequencies(head_dim / 2, theta);
  const at::Tensor by_y = at::outer(at::arange(height, at::kFloat), frequency);
  const at::Tensor by_x = at::outer(at::arange(width, at::kFloat), frequency);
  const at::Tensor angle = at::cat({by_y.unsqueeze(1).expand({height, width, -1}),
                                    by_x.unsqueeze(0).expand({height, width, -1})},
                                   2)
                               .reshape({height * width, head_dim / 2});
  const at::Tensor condition = at::zeros({condition_tokens, head_dim / 2}, at::kFloat);
  return {.cosine = at::cat({condition, angle.cos()}),
          .sine = at::cat({condition, angle.sin()}),
          .pairs = RotationPairs::kNeighbours};
}

RotationTable on_device(const RotationTable& table, at::Device device) {
  return {.cosine = table.cosine.to(device), .sine = table.sine.to(device), .pairs = table.pairs};
}

Rotation at_positions(const RotationTable& table, const at::Tensor& positions) {
  const at::Tensor flat = positions.reshape({-1});
  const auto rows = [&](const at::Tensor& values) {
    return values.index_select(0, flat).view(
        {positions.size(0), 1, positions.size(1), values.size(1)});
  };
  return {.cosine = rows(table.cosine), .sine = rows(table.sine), .pairs = table.pairs};
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

}  // namespace kvscope::next_token
