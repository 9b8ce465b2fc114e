#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/first_image_map.h"
#include "analysis/attention/query_map_layout.h"

namespace kvscope {
namespace {

/// Where some queries of every step look, in every layer and head, of the first image: their mass
/// on cells of keys (query_map_layout.h). The masses of a query sum to 1; keys that a policy
/// dropped, and those that a step cannot see, add 0.
class QueryMap : public FirstImageMap {
 public:
  explicit QueryMap(const AttentionRecorderOptions& options)
      : query_side_(options.map_query_side), key_side_(options.map_key_side) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"layer", "head", "map_query", "map_key"},
            .unit = "share",
            .needs = {.head_rows = true},
            .across_images = AcrossImages::kFirst};
  }

  void begin_model(const CacheGeometry& geometry) override {
    layout_ = QueryMapLayout::of(geometry, query_side_, key_side_);
    first_query_.assign(geometry.steps.size() + 1, 0);
    for (const auto& query : layout_.queries) ++first_query_[static_cast<size_t>(query.first) + 1];
    for (size_t step = 1; step < first_query_.size(); ++step) {
      first_query_[step] += first_query_[step - 1];
    }
    NamedArray map{.axes = {layer_axis(geometry.layers), head_axis(geometry.heads),
                            layout_.query_axis(), layout_.key_axis()},
                   .parameters = {{"query_side", query_side_}, {"key_side", key_side_}}};
    if (geometry.line_tokens > 0) map.parameters["line_tokens"] = geometry.line_tokens;
    begin_map(std::move(map));
  }

  void observe(ObservedStep& step) override {
    const auto index = static_cast<size_t>(step.step().index);
    std::vector<int64_t> queries;
    for (int64_t row = first_query_[index]; row < first_query_[index + 1]; ++row) {
      queries.push_back(layout_.queries[static_cast<size_t>(row)].second);
    }
    for (int64_t head = 0; head < step.heads() && !queries.empty(); ++head) {
      const std::vector<float> weights = step.head_rows(0, head, queries);
      const auto positions = step.positions(0, head);
      auto weight = weights.begin();
      for (int64_t row = 0; row < std::ssize(queries); ++row) {
        float* cells = line(step.layer(), head, first_query_[index] + row);
        for (const int64_t position : positions) {
          cells[layout_.cell_of_token[static_cast<size_t>(position)]] += *weight++;
        }
      }
    }
  }

 private:
  int64_t query_side_;
  int64_t key_side_;
  QueryMapLayout layout_;
  std::vector<int64_t> first_query_;  // [steps + 1] where a step's begin among layout_.queries
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_map_query(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMap>(options);
}

}  // namespace kvscope
