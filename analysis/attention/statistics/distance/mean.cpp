#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/mean_statistics.h"
#include "analysis/attention/measures/token_places.h"

namespace kvscope {
namespace {

/// How far from a query lies what it pays to: the distance in the image (TokenPlaces), mean over
/// its weights on image tokens, those of a step's sampled queries together.
class MeanDistance : public MeanOfSamples {
 public:
  explicit MeanDistance(int64_t sampled_queries) : sampled_queries_(sampled_queries) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "step"},
            .unit = "image sides",
            .needs = {.attention_rows = true}};
  }

  void begin_model(const CacheGeometry& geometry) override {
    places_ = TokenPlaces(geometry);
    means_ = MeanArray(head_step_axes(geometry), {{"sampled_queries", sampled_queries_}});
  }

  void observe(ObservedStep& step) override {
    const StepInfo& info = step.step();
    if (info.kind == StepKind::kPrefill) return;
    std::map<int64_t, std::vector<double>> distances_of;  // by query, the same of all heads
    step.visit_queries(sampled_queries_, [&](const QueryWeights& query) {
      std::vector<double>& distances = distances_of[query.query];
      for (int64_t key = std::ssize(distances); key < keys_of_step(step.steps(), info.index);
           ++key) {
        distances.push_back(
            places_.is_image(key) ? places_.distance(info.first_token + query.query, key) : -1);
      }
      double sum = 0;
      double mass = 0;
      for (size_t i = 0; i < query.weights.size(); ++i) {
        const double distance = distances[static_cast<size_t>(query.positions[i])];
        if (distance < 0) continue;
        sum += distance * static_cast<double>(query.weights[i]);
        mass += static_cast<double>(query.weights[i]);
      }
      means_.add(means_.index(step.layer(), query.head, info.index), sum, mass);
    });
  }

 private:
  int64_t sampled_queries_;
  TokenPlaces places_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_distance_mean(
    const AttentionRecorderOptions& options) {
  return std::make_unique<MeanDistance>(options.sampled_queries);
}

}  // namespace kvscope
