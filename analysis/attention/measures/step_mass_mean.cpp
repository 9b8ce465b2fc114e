#include "analysis/attention/measures/step_mass_mean.h"

#include "analysis/attention/attention_axes.h"

namespace kvscope {

StatisticInfo StepMassMean::info() const {
  const bool conditional = row_ == GuidanceRow::kConditional;
  return {.axes = {"layer", "head", "step", "on_step"},
          .unit = "share",
          .needs = {.column_sums = conditional, .unconditional = !conditional},
          .by_default = conditional,
          .needs_guidance = !conditional};
}

void StepMassMean::begin_model(const CacheGeometry& geometry) {
  sums_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads),
                             step_axis(geometry.steps), on_step_axis(geometry.steps)});
}

void StepMassMean::observe(ObservedStep& step) {
  ObservedStep& rows = row_ == GuidanceRow::kConditional ? step : step.unconditional();
  const auto queries = static_cast<double>(step.step().queries());
  for (int64_t image = 0; image < step.images(); ++image) {
    for (int64_t head = 0; head < step.heads(); ++head) {
      double* line = &sums_.values[sums_.index(step.layer(), head, step.step().index, 0)];
      for (const double mass : rows.step_sums(image, head)) *line++ += mass / queries;
    }
  }
}

}  // namespace kvscope
