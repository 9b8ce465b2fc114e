#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/statistic.h"

namespace kvscope {
namespace {

/// Variance from query to query, among the last ones of a generation, of what each key before them
/// receives, summed over keys and heads: the other half of CAKE's layer preferences
/// (window_entropy.cpp).
class WindowVariance : public AttentionStatistic {
 public:
  explicit WindowVariance(int64_t queries) : queries_(queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer"}, .unit = "share^2", .needs = {.last_queries = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros({layer_axis(geometry.layers)});
    sums_.parameters = {{"queries", queries_}};
  }

  void observe(ObservedStep& step) override {
    if (step.step().index != last_attending_step(step.steps())) return;
    sums_.values[sums_.index(step.layer())] += step.last_queries_spread(queries_).variance;
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images));
  }

 private:
  int64_t queries_;
  NamedArray sums_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_window_variance(
    const AttentionRecorderOptions& options) {
  return std::make_unique<WindowVariance>(options.window_queries);
}

}  // namespace kvscope
