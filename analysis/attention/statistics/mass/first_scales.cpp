#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Mass on the first 1, 2, ... scales, mean over a step's queries: the coarsest scales are the
/// sinks of HeatKV (arXiv:2605.14877) and the condensed scales of AMS-KV (arXiv:2511.16047).
class FirstScalesMass : public MeanOfSamples {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step", "first_scales"},
            .unit = "share",
            .needs = {.column_sums = true},
            .models = StatisticModels::kNextScale};
  }

  void begin_model(const CacheGeometry& geometry) override {
    std::vector<ArrayAxis> axes = head_step_axes(geometry);
    axes.push_back(ArrayAxis::counted("first_scales", std::ssize(geometry.steps), 1));
    means_ = MeanArray(std::move(axes));
  }

  void observe(ObservedStep& step) override {
    const auto queries = static_cast<double>(step.step().queries());
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        double mass = 0;
        size_t at = means_.index(step.layer(), head, step.step().index, 0);
        for (const double of_scale : step.step_sums(image, head)) {
          means_.add(at++, mass += of_scale, queries);
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_first_scales(
    const AttentionRecorderOptions& /*options*/) {
  return std::make_unique<FirstScalesMass>();
}

}  // namespace kvscope
