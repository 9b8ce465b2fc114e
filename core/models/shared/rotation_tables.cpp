#include "core/models/shared/rotation_tables.h"

#include <ATen/ATen.h>

namespace kvscope {

at::Tensor rotation_frequencies(int64_t channels, double theta) {
  const at::Tensor exponent =
      at::arange(0, channels, 2, at::kFloat) / static_cast<double>(channels);
  return 1.0 / at::pow(at::scalar_tensor(theta, at::kFloat), exponent);
}

at::Tensor grid_angles(const at::Tensor& y, const at::Tensor& x, const at::Tensor& frequencies) {
  const at::Tensor by_y = at::outer(y, frequencies).unsqueeze(1).expand({-1, x.size(0), -1});
  const at::Tensor by_x = at::outer(x, frequencies).unsqueeze(0).expand({y.size(0), -1, -1});
  return at::cat({by_y, by_x}, 2);
}

RotationTable line_rotation(int64_t positions, int64_t head_dim, double theta) {
  const at::Tensor angle =
      at::outer(at::arange(positions, at::kFloat), rotation_frequencies(head_dim, theta));
  return {
      .cosine = angle.cos(), .sine = angle.sin(), .pairs = RotationPairs::kHalves, .is_line = true};
}

RotationTable grid_rotation(
    int64_t condition_tokens, int64_t height, int64_t width, int64_t head_dim, double theta) {
  const at::Tensor angle =
      grid_angles(at::arange(height, at::kFloat), at::arange(width, at::kFloat),
                  rotation_frequencies(head_dim / 2, theta))
          .flatten(0, 1);
  const at::Tensor condition = at::zeros({condition_tokens, head_dim / 2}, at::kFloat);
  return {.cosine = at::cat({condition, angle.cos()}),
          .sine = at::cat({condition, angle.sin()}),
          .pairs = RotationPairs::kNeighbours};
}

}  // namespace kvscope
