#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/image_offsets.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Where the queries of a next-token image look, relative to themselves: the attention of every
/// head by lines above and columns beside, mean over queries, from which the share inside any
/// neighbourhood follows (head_sparsity.h).
class OffsetMass : public MeanOfImages {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "lines_above", "columns_beside"},
            .unit = "share",
            .needs = {.column_sums = true},
            .models = StatisticModels::kNextToken,
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    offsets_ = ImageOffsets::of(geometry);
    sums_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads),
                               offsets_.lines_above_axis(), offsets_.columns_beside_axis()});
    sums_.parameters = {{"line_tokens", offsets_.line_tokens}};
  }

  void observe(ObservedStep& step) override {
    if (!ImageOffsets::looks(step.step())) return;
    const int64_t begin = offsets_.condition_tokens;
    const int64_t line = offsets_.line_tokens;
    const int64_t own = step.step().first_token - begin;
    step.visit_columns([&](int64_t head, int64_t position, double weight) {
      const int64_t key = position - begin;
      if (key < 0) return;
      const int64_t above = own / line - key / line;
      const int64_t beside = key % line - own % line;
      sums_.values[sums_.index(step.layer(), head, above, beside + line - 1)] += weight;
    });
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images) * static_cast<double>(offsets_.queries));
  }

 private:
  ImageOffsets offsets_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_offset(const AttentionRecorderOptions&) {
  return std::make_unique<OffsetMass>();
}

}  // namespace kvscope
