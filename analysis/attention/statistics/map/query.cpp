#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/query_map_layout.h"
#include "analysis/attention/statistic.h"

namespace kvscope {
namespace {

/// Where some queries of every step look, in every layer and head, of the first image: their mass
/// on cells of keys (query_map_layout.h). The masses of a query sum to 1; keys that a policy
/// dropped, and those that a step cannot see, add 0.
class QueryMap : public AttentionStatistic {
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
    map_ = NamedArray::zeros({layer_axis(geometry.layers), head_axis(geometry.heads),
                              layout_.query_axis(), layout_.key_axis()});
    map_.parameters = {{"query_side", query_side_}, {"key_side", key_side_}};
    if (geometry.line_tokens > 0) map_.parameters["line_tokens"] = geometry.line_tokens;
    map_.precision = ArrayPrecision::kHalf;
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
        double* cells = &map_.values[map_.index(step.layer(), head, first_query_[index] + row, 0)];
        for (const int64_t position : positions) {
          cells[layout_.cell_of_token[static_cast<size_t>(position)]] +=
              static_cast<double>(*weight++);
        }
      }
    }
  }

  [[nodiscard]] NamedArray finish(int64_t /*images*/) const override { return map_; }

  [[nodiscard]] std::vector<std::span<double>> sums() override { return {map_.values}; }

 private:
  int64_t query_side_;
  int64_t key_side_;
  QueryMapLayout layout_;
  std::vector<int64_t> first_query_;  // [steps + 1] where a step's begin among layout_.queries
  NamedArray map_;
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_map_query(
    const AttentionRecorderOptions& options) {
  return std::make_unique<QueryMap>(options);
}

}  // namespace kvscope
