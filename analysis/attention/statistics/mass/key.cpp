#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Sum over the queries of a step of the mass on each key that they can see, the keys of one step
/// after those of the other. Keys that a policy dropped have 0.
class KeyMass : public MeanOfImages {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step_key"},
            .unit = "queries",
            .needs = {.column_sums = true},
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    begins_ = step_key_begins(geometry.steps);
    sums_ = NamedArray::zeros(
        {layer_axis(geometry.layers), head_axis(geometry.heads), step_key_axis(geometry.steps)});
    sums_.precision = ArrayPrecision::kHalf;
  }

  void observe(ObservedStep& step) override {
    const int64_t begin = begins_[static_cast<size_t>(step.step().index)];
    step.visit_columns([&](int64_t head, int64_t position, double weight) {
      sums_.values[sums_.index(step.layer(), head, begin + position)] += weight;
    });
  }

 private:
  std::vector<int64_t> begins_;  // [steps]
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_key(const AttentionRecorderOptions&) {
  return std::make_unique<KeyMass>();
}

}  // namespace kvscope
