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
  return {
      .cosine = angle.cos(), .sine = angle.sin(), .pairs = RotationPairs::kHalves, .is_line = true};
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

}  // namespace kvscope::next_token
