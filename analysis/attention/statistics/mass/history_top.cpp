#include <ATen/ATen.h>

#include <algorithm>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Mean over sampled queries of the sum of the K' largest weights on earlier steps' tokens (all of
/// them where there are fewer): the second factor of ScaleKV's Attention Selectivity Index.
class HistoryTopMass : public MeanOfImages {
 public:
  HistoryTopMass(int64_t top_keys, int64_t sampled_queries)
      : top_keys_(top_keys), sampled_queries_(sampled_queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step"},
            .unit = "share",
            .needs = {.attention_rows = true},
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros(
        {layer_axis(geometry.layers), head_axis(geometry.heads), step_axis(geometry.steps)});
    sums_.parameters = {{"top_keys", top_keys_}, {"sampled_queries", sampled_queries_}};
  }

  void observe(ObservedStep& step) override {
    const auto sampled =
        static_cast<double>(evenly_spaced(step.step().queries(), sampled_queries_).size());
    step.visit_rows(sampled_queries_, [&](const RowTile& tile) {
      for (int64_t image = 0; image < step.images(); ++image) {
        for (int64_t head = 0; head < step.heads(); ++head) {
          const at::Tensor rows = tile.rows(image, head);
          const int64_t past = rows.size(1) - step.step().queries();
          if (past == 0) continue;
          const at::Tensor largest =
              std::get<0>(rows.narrow(1, 0, past).topk(std::min(top_keys_, past), 1, true, false));
          sums_.values[sums_.index(step.layer(), head, step.step().index)] +=
              largest.sum(at::kDouble).item<double>() /
              (static_cast<double>(tile.group()) * sampled);
        }
      }
    });
  }

 private:
  int64_t top_keys_;
  int64_t sampled_queries_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_mass_history_top(
    const AttentionRecorderOptions& options) {
  return std::make_unique<HistoryTopMass>(options.top_keys, options.sampled_queries);
}

}  // namespace kvscope
