#include "analysis/attention/measures/scale_keys.h"

#include <ATen/ATen.h>

namespace kvscope {
namespace {

/// The cell of a grid of `other` cells that holds the centre of `cell` of `cells`.
int64_t matching_cell(int64_t cell, int64_t cells, int64_t other) {
  return (2 * cell + 1) * other / (2 * cells);
}

}  // namespace

ScaleKeys scale_keys(ObservedStep& step, int64_t image, int64_t head) {
  const LayerStep& layer_step = step.layer_step();
  const StepInfo& info = step.step();
  if (info.index == 0) return {};
  const StepInfo& before = step.steps()[static_cast<size_t>(info.index) - 1];
  const auto positions = step.positions(image, head);
  std::vector<int64_t> places(static_cast<size_t>(before.queries()), -1);  // in the cache
  for (int64_t index = 0; positions[static_cast<size_t>(index)] < info.first_token; ++index) {
    const int64_t token = positions[static_cast<size_t>(index)] - before.first_token;
    if (token >= 0) places[static_cast<size_t>(token)] = index;
  }
  std::vector<int64_t> tokens;
  std::vector<int64_t> matches;
  for (int64_t token = 0; token < info.queries(); ++token) {
    const int64_t row =
        matching_cell(token / info.grid_width, info.grid_height, before.grid_height);
    const int64_t column =
        matching_cell(token % info.grid_width, info.grid_width, before.grid_width);
    const int64_t place = places[static_cast<size_t>(row * before.grid_width + column)];
    if (place < 0) continue;
    tokens.push_back(token);
    matches.push_back(place);
  }
  const auto taken = [](const at::Tensor& keys, const std::vector<int64_t>& indices) {
    return keys.index_select(0, at::tensor(indices, at::kLong).to(keys.device())).to(at::kDouble);
  };
  return {.current = taken(layer_step.k[step.row(image)][head], tokens),
          .previous = taken(layer_step.cache->keys(step.layer(), step.row(image), head), matches)};
}

HeadStepMean::Sample mean_over_scale_keys(ObservedStep& step,
                                          int64_t image,
                                          int64_t head,
                                          at::Tensor (*number)(const ScaleKeys& keys)) {
  const ScaleKeys keys = scale_keys(step, image, head);
  if (!keys.current.defined() || keys.current.size(0) == 0) return {};
  return {.sum = number(keys).sum().item<double>(),
          .weight = static_cast<double>(keys.current.size(0))};
}

StatisticInfo scale_keys_info(const char* unit) {
  return {.unit = unit, .needs = {.layer_step = true}, .models = StatisticModels::kNextScale};
}

}  // namespace kvscope
