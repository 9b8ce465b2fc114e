#include "analysis/attention/measures/guidance_difference.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/raw_axes.h"

namespace kvscope {

StatisticInfo GuidanceDifference::info() const {
  return {.axes = {"layer", "head", "key"},
          .unit = "squared L2 norm",
          .needs = {.layer_step = true},
          .needs_guidance = true};
}

void GuidanceDifference::begin_model(const CacheGeometry& geometry) {
  means_ =
      MeanArray({layer_axis(geometry.layers), head_axis(geometry.heads), key_axis(geometry.steps)});
}

void GuidanceDifference::observe(ObservedStep& step) {
  const LayerStep& layer_step = step.layer_step();
  const StepInfo& info = step.step();
  const auto of_row = [&](int64_t row) { return (layer_step.*of_)[row].to(at::kDouble); };
  for (int64_t image = 0; image < step.images(); ++image) {
    const at::Tensor squares = (of_row(step.row(image)) - of_row(step.unconditional_row(image)))
                                   .square()
                                   .sum(2)
                                   .to(at::kCPU)
                                   .contiguous();  // [heads, queries]
    const int64_t padding =
        std::max(layer_step.cache->padding_of_step(info, step.row(image)),
                 layer_step.cache->padding_of_step(info, step.unconditional_row(image)));
    for (int64_t head = 0; head < step.heads(); ++head) {
      const double* square = squares.const_data_ptr<double>() + head * info.queries();
      for (int64_t token = padding; token < info.queries(); ++token) {
        means_.add(means_.index(step.layer(), head, info.first_token + token), square[token]);
      }
    }
  }
}

}  // namespace kvscope
