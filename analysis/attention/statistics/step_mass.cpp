#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/statistic.h"

namespace kvscope {
namespace {

/// Mean over the queries of step s (third axis) of the mass on the tokens of step t (fourth); the
/// masses of one (layer, head, step) sum to 1.
class StepMass : public AttentionStatistic {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step", "on_step"},
            .unit = "share",
            .needs = {.column_sums = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads),
                               step_axis(geometry.steps), on_step_axis(geometry.steps)});
  }

  void observe(ObservedStep& step) override {
    const auto queries = static_cast<double>(step.step().queries());
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        double* line = &sums_.values[sums_.index(step.layer(), head, step.step().index, 0)];
        for (const double mass : step.step_sums(image, head)) *line++ += mass / queries;
      }
    }
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images));
  }

  [[nodiscard]] std::vector<std::span<double>> sums() override { return {sums_.values}; }

 private:
  NamedArray sums_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_step_mass(const AttentionRecorderOptions&) {
  return std::make_unique<StepMass>();
}

}  // namespace kvscope
