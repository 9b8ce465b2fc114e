#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/statistic.h"

namespace kvscope {
namespace {

/// Entropy of the attention that the last queries of a generation pay to everything before them,
/// summed over queries and heads. CAKE (arXiv:2503.12491) measures it on a prompt; a picture's
/// counterpart of a finished prompt is its last step.
class WindowEntropy : public AttentionStatistic {
 public:
  explicit WindowEntropy(int64_t queries) : queries_(queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer"}, .unit = "nats", .needs = {.last_queries = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    sums_ = NamedArray::zeros({layer_axis(geometry.layers)});
    sums_.parameters = {{"queries", queries_}};
  }

  void observe(ObservedStep& step) override {
    if (step.step().index != last_attending_step(step.steps())) return;
    sums_.values[sums_.index(step.layer())] += step.last_queries_spread(queries_).entropy;
  }

  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images));
  }

 private:
  int64_t queries_;
  NamedArray sums_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_window_entropy(
    const AttentionRecorderOptions& options) {
  return std::make_unique<WindowEntropy>(options.window_queries);
}

}  // namespace kvscope
