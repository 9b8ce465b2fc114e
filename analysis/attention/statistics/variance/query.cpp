#include <ATen/ATen.h>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {
namespace {

/// Evenly spaced queries that stand for all of a scale: a variance over queries needs them at once.
constexpr int64_t kQueries = 64;

/// How differently the queries of the last scale look, mean over a head's query heads: the variance
/// over queries of the attention that a key receives, summed over keys. Low where all queries look
/// at the same keys (vertical lines in the map), which makes a head contextual (HACK,
/// arXiv:2504.09261).
class QueryVariance : public MeanOfImages {
 public:
  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head"},
            .unit = "share^2",
            .needs = {.attention_rows = true},
            .models = StatisticModels::kNextScale,
            .by_default = true};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads)});
    sums_.parameters = {{"queries", kQueries}};
  }

  void observe(ObservedStep& step) override {
    if (step.step().index != last_attending_step(step.steps())) return;
    step.visit_rows(kQueries, [&](const RowTile& tile) {
      for (int64_t image = 0; image < step.images(); ++image) {
        for (int64_t head = 0; head < step.heads(); ++head) {
          const at::Tensor map =
              tile.rows(image, head).to(at::kDouble).unflatten(0, {tile.group(), -1});
          sums_.values[sums_.index(step.layer(), head)] +=
              map.var(1, false).sum().item<double>() / static_cast<double>(tile.group());
        }
      }
    });
  }
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_variance_query(const AttentionRecorderOptions&) {
  return std::make_unique<QueryVariance>();
}

}  // namespace kvscope
