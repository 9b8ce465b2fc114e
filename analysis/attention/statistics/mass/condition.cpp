#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/image_offsets.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// What the queries of a next-token image pay to condition tokens so many positions back, mean
/// over queries: what mass.offset leaves.
class ConditionMass : public MeanOfImages {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "tokens_back"},
            .unit = "share",
            .needs = {.column_sums = true},
            .models = StatisticModels::kNextToken,
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    offsets_ = ImageOffsets::of(geometry);
    sums_ = NamedArray::zeros(
        {layer_axis(geometry.layers), head_axis(geometry.heads), offsets_.tokens_back_axis()});
  }

  void observe(ObservedStep& step) override {
    if (!ImageOffsets::looks(step.step())) return;
    const int64_t own = step.step().first_token;
    step.visit_columns([&](int64_t head, int64_t position, double weight) {
      if (position >= offsets_.condition_tokens) return;
      sums_.values[sums_.index(step.layer(), head, own - position)] += weight;
    });
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images) * static_cast<double>(offsets_.queries));
  }

 private:
  ImageOffsets offsets_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_condition(const AttentionRecorderOptions&) {
  return std::make_unique<ConditionMass>();
}

}  // namespace kvscope
