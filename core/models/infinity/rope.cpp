#include "core/models/infinity/rope.h"

#include <ATen/ATen.h>

#include "core/models/shared/rotation_tables.h"

namespace kvscope::infinity {
namespace {

constexpr int64_t kBaseGrid = 128;  // the published tables cover 2048 / 16 positions per side

// Mode 1: the table of a (height, width) region, longer side 128, resampled to the scale's grid.
at::Tensor resampled(const at::Tensor& table, int64_t height, int64_t width) {
  return at::upsample_bilinear2d(table.permute({2, 0, 1}).unsqueeze(0), {height, width}, true)
      .squeeze(0)
      .permute({1, 2, 0})
      .contiguous();
}

}  // namespace

int64_t rope_position(int64_t index, int64_t size, int64_t grid) {
  const int64_t numerator = 2 * index * grid + size;  // 2 (i g / s + 1/2) s
  const int64_t rounded = numerator / (2 * size);
  const bool exact_half = numerator % (2 * size) == 0;
  return exact_half && rounded % 2 != 0 ? rounded - 1 : rounded;
}

Rotation scale_rotation(const TransformerConfig& config, const ImageGeometry& image, int64_t si) {
  const auto [height, width] = image.schedule.at(static_cast<size_t>(si));
  const at::Tensor frequency = rotation_frequencies(config.head_dim() / 2, 10000.0);
  const int64_t pairs = 2 * frequency.size(0);
  if (config.rope_mode == 1) {
    const auto [grid_height, grid_width] = image.rope_grid;
    const double ratio = static_cast<double>(grid_height) / static_cast<double>(grid_width);
    const int64_t region_height =
        ratio >= 1 ? kBaseGrid : static_cast<int64_t>(static_cast<double>(kBaseGrid) * ratio);
    const int64_t region_width =
        ratio >= 1 ? static_cast<int64_t>(static_cast<double>(kBaseGrid) / ratio) : kBaseGrid;
    const at::Tensor table = grid_angles(at::arange(region_height, at::kFloat),
                                         at::arange(region_width, at::kFloat), frequency);
    const auto rows = [&](const at::Tensor& values) {
      return resampled(values, height, width).reshape({height * width, pairs});
    };
    return {.cosine = rows(table.cos()),
            .sine = rows(table.sin()),
            .pairs = RotationPairs::kNeighbours};
  }
  const auto positions = [&](int64_t size, int64_t grid) {
    at::Tensor result = at::empty({size}, at::kFloat);
    float* data = result.data_ptr<float>();
    for (int64_t i = 0; i < size; ++i) {
      data[i] = static_cast<float>(config.rope_mode == 0 ? i : rope_position(i, size, grid));
    }
    return result;
  };
  const at::Tensor angle = grid_angles(positions(height, image.rope_grid.first),
                                       positions(width, image.rope_grid.second), frequency)
                               .reshape({height * width, pairs});
  return {.cosine = angle.cos(), .sine = angle.sin(), .pairs = RotationPairs::kNeighbours};
}

RotationTable rotation_table(const TransformerConfig& config,
                             const ImageGeometry& image,
                             at::Device device) {
  std::vector<at::Tensor> cosines;
  std::vector<at::Tensor> sines;
  for (size_t si = 0; si < image.schedule.size(); ++si) {
    const Rotation scale = scale_rotation(config, image, static_cast<int64_t>(si));
    cosines.push_back(scale.cosine);
    sines.push_back(scale.sine);
  }
  return {.cosine = at::cat(cosines).to(device),
          .sine = at::cat(sines).to(device),
          .pairs = RotationPairs::kNeighbours};
}

}  // namespace kvscope::infinity
