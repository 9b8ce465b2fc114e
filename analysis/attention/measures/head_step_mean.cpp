#include "analysis/attention/measures/head_step_mean.h"

#include <utility>

#include "analysis/attention/attention_axes.h"

namespace kvscope {

HeadStepMean::HeadStepMean(StatisticInfo info,
                           Measure measure,
                           std::map<std::string, int64_t> parameters)
    : info_(std::move(info)), measure_(measure), parameters_(std::move(parameters)) {
  info_.axes = {"layer", "head", "step"};
}

void HeadStepMean::begin_model(const CacheGeometry& geometry) {
  means_ = MeanArray(head_step_axes(geometry), parameters_);
}

void HeadStepMean::observe(ObservedStep& step) {
  for (int64_t image = 0; image < step.images(); ++image) {
    for (int64_t head = 0; head < step.heads(); ++head) {
      const Sample sample = measure_(step, image, head);
      means_.add(means_.index(step.layer(), head, step.step().index), sample.sum, sample.weight);
    }
  }
}

}  // namespace kvscope
