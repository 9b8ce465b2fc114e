#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/measures/query_mean.h"

namespace kvscope {
namespace {

/// Variance, divisor n, of the entropies of a step's sampled queries, mean over a head's query
/// heads and images.
class QueryEntropyVariance : public MeanOfSamples {
 public:
  explicit QueryEntropyVariance(int64_t sampled_queries) : sampled_queries_(sampled_queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step"}, .unit = "nats^2", .needs = {.attention_rows = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    means_ = MeanArray(head_step_axes(geometry), {{"sampled_queries", sampled_queries_}});
  }

  void observe(ObservedStep& step) override {
    struct Moments {
      double queries = 0;
      double sum = 0;
      double squares = 0;
    };
    std::map<std::tuple<int64_t, int64_t, int64_t>, Moments> moments;  // image, head, query head
    step.visit_queries(sampled_queries_, [&](const QueryWeights& query) {
      const double entropy = entropy_of(query.weights);
      Moments& of = moments[{query.image, query.head, query.query_head}];
      of.queries += 1;
      of.sum += entropy;
      of.squares += entropy * entropy;
    });
    for (const auto& [who, of] : moments) {
      const double mean = of.sum / of.queries;
      means_.add(means_.index(step.layer(), std::get<1>(who), step.step().index),
                 std::max(of.squares / of.queries - mean * mean, 0.0));
    }
  }

 private:
  int64_t sampled_queries_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_entropy_query_variance(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryEntropyVariance>(options.sampled_queries);
}

}  // namespace kvscope
