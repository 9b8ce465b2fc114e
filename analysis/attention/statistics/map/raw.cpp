#include <fmt/format.h>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/attention_options.h"
#include "analysis/attention/measures/first_image_map.h"
#include "analysis/attention/raw_axes.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

/// Rows of the attention maps of chosen heads, of the first image. Keys that a policy dropped, and
/// those that a step cannot see, have 0.
class RawMaps : public FirstImageMap {
 public:
  explicit RawMaps(const AttentionRecorderOptions& options)
      : heads_(options.raw_heads), queries_(options.raw_queries), at_(options.raw_at) {}

  [[nodiscard]] StatisticInfo info() const override {
    return {.axes = {"raw_head", "raw_query", "key"},
            .unit = "share",
            .needs = {.head_rows = true},
            .across_images = AcrossImages::kFirst};
  }

  void begin_model(const CacheGeometry& geometry) override {
    std::vector<std::pair<int64_t, int64_t>> rows;
    for (int64_t step = 0; step <= last_attending_step(geometry.steps); ++step) {
      first_rows_.push_back(std::ssize(rows));
      for (const int64_t query : queries_of(geometry.steps[step])) {
        rows.emplace_back(step, query);
      }
    }
    for (const auto& [layer, head] : heads_) {
      if (layer < 0 || layer >= geometry.layers || head < 0 || head >= geometry.heads) {
        throw Error(ErrorKind::kConfig,
                    fmt::format("attention record: no layer {} head {}; the model has layers 0..{} "
                                "and heads 0..{}",
                                layer, head, geometry.layers - 1, geometry.heads - 1));
      }
    }
    begin_map({.axes = {raw_head_axis(heads_), raw_query_axis(rows), key_axis(geometry.steps)}});
  }

  void observe(ObservedStep& step) override {
    const StepInfo& info = step.step();
    for (size_t map = 0; map < heads_.size(); ++map) {
      const auto& [layer, head] = heads_[map];
      if (layer != step.layer()) continue;
      const std::vector<int64_t> queries = queries_of(info);
      if (queries.empty()) continue;
      const std::vector<float> weights = step.head_rows(0, head, queries);
      const auto positions = step.positions(0, head);
      auto weight = weights.begin();
      for (int64_t row = 0; row < std::ssize(queries); ++row) {
        float* keys = line(map, first_rows_[static_cast<size_t>(info.index)] + row);
        for (const int64_t position : positions) keys[position] = *weight++;
      }
    }
  }

 private:
  [[nodiscard]] std::vector<int64_t> queries_of(const StepInfo& step) const {
    if (at_.empty()) return evenly_spaced(step.queries(), queries_);
    std::vector<int64_t> queries;
    for (int64_t query = 0; query < step.queries(); ++query) {
      if (at_.contains(query)) queries.push_back(query);
    }
    return queries;
  }

  std::vector<std::pair<int64_t, int64_t>> heads_;
  int64_t queries_;
  IndexRanges at_;
  std::vector<int64_t> first_rows_;  // [steps that attend]
};

}  // namespace

std::unique_ptr<AttentionStatistic> make_statistic_map_raw(
    const AttentionRecorderOptions& options) {
  return std::make_unique<RawMaps>(options);
}

}  // namespace kvscope
