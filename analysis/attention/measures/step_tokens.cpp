#include "analysis/attention/measures/step_tokens.h"

#include "analysis/attention/attention_axes.h"

namespace kvscope {

StatisticInfo StepTokens::info() const {
  return {.axes = {"step"}, .unit = "share", .needs = {.full_images = true}};
}

void StepTokens::begin_model(const CacheGeometry& geometry) {
  means_ = MeanArray({step_axis(geometry.steps)});
}

void StepTokens::end_image(std::span<const StepAgreement> agreement) {
  bool differed = false;
  for (size_t step = 0; step < agreement.size(); ++step) {
    const Sample sample = measure_(agreement[step], differed);
    means_.add(means_.index(step), sample.sum, sample.weight);
    differed = differed || agreement[step].differing > 0;
  }
}

}  // namespace kvscope
