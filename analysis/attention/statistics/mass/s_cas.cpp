#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// HeatKV's scale-dependent cumulative attention score (arXiv:2605.14877): the mean over all later
/// scales, the last included, of the mass that their queries pay to the tokens of a scale. It is of
/// a full cache; under a policy dropped tokens have 0. The last scale has none.
class ScaleCumulativeAttention : public MeanOfImages {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "on_step"},
            .unit = "share",
            .needs = {.column_sums = true},
            .models = StatisticModels::kNextScale};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros(
        {layer_axis(geometry.layers), head_axis(geometry.heads), on_step_axis(geometry.steps)});
  }

  void observe(ObservedStep& step) override {
    const auto queries = static_cast<double>(step.step().queries());
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        const auto masses = step.step_sums(image, head);
        for (int64_t source = 0; source < step.step().index; ++source) {
          const auto targets = static_cast<double>(std::ssize(step.steps()) - 1 - source);
          sums_.values[sums_.index(step.layer(), head, source)] +=
              masses[static_cast<size_t>(source)] / queries / targets;
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_s_cas(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<ScaleCumulativeAttention>();
}

}  // namespace kvscope
