#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/statistic.h"

namespace kvscope {
namespace {

/// Variance between images, divisor n, of what mass.step is the mean of.
class StepMassVariance : public AttentionStatistic {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step", "on_step"},
            .unit = "share^2",
            .needs = {.column_sums = true},
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads),
                               step_axis(geometry.steps), on_step_axis(geometry.steps)});
    squares_ = sums_.values;
  }

  void observe(ObservedStep& step) override {
    const auto queries = static_cast<double>(step.step().queries());
    for (int64_t image = 0; image < step.images(); ++image) {
      for (int64_t head = 0; head < step.heads(); ++head) {
        size_t at = sums_.index(step.layer(), head, step.step().index, 0);
        for (const double mass : step.step_sums(image, head)) {
          const double mean = mass / queries;
          sums_.values[at] += mean;
          squares_[at++] += mean * mean;
        }
      }
    }
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    const auto count = static_cast<double>(images);
    NamedArray variance = divided(sums_, count);
    for (size_t i = 0; i < squares_.size(); ++i) {
      const double mean = variance.values[i];
      variance.values[i] = std::max(squares_[i] / count - mean * mean, 0.0);
    }
    return variance;
  }

  [[nodiscard]] std::vector<std::span<double>> sums() override { return {sums_.values, squares_}; }

 private:
  NamedArray sums_;
  std::vector<double> squares_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_step_variance(
    const AttentionRecorderOptions&) {
  return std::make_unique<StepMassVariance>();
}

}  // namespace kvscope
