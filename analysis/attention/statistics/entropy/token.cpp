#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {
namespace {

/// Entropy of what each sampled query pays, mean over a head's query heads and the images in which
/// it is no padding.
class TokenEntropy : public MeanOfSamples {
 public:
  explicit TokenEntropy(int64_t sampled_queries) : sampled_queries_(sampled_queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "sampled_query"},
            .unit = "nats",
            .needs = {.attention_rows = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    const ArrayAxis queries = sampled_query_axis(geometry.steps, sampled_queries_);
    places_.clear();
    for (int64_t i = 0; i < queries.size(); ++i) {
      places_[{queries.coordinates[0].values[i], queries.coordinates[1].values[i]}] = i;
    }
    means_ = MeanArray({layer_axis(geometry.layers), head_axis(geometry.heads), queries},
                       {{"sampled_queries", sampled_queries_}});
  }

  void observe(ObservedStep& step) override {
    step.visit_queries(sampled_queries_, [&](const QueryWeights& query) {
      const int64_t place = places_.at({step.step().index, query.query});
      means_.add(means_.index(step.layer(), query.head, place), entropy_of(query.weights));
    });
  }

 private:
  int64_t sampled_queries_;
  std::map<std::pair<int64_t, int64_t>, int64_t> places_;  // of (step, query) along the axis
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_entropy_token(
    const AttentionRecorderOptions& options) {
  return std::make_unique<TokenEntropy>(options.sampled_queries);
}

}  // namespace kvscope
