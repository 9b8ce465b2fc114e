// Where single queries look, against sums over everything that a naive observer saw.
#include <gtest/gtest.h>

#include "analysis/attention/attention_axes.h"
#include "analysis/attention/query_map_layout.h"
#include "core/base/error.h"
#include "tests/analysis/attention/attention_run.h"

namespace kvscope {
namespace {

const std::vector<int64_t>& along(const ArrayAxis& axis, const std::string& name) {
  if (const std::vector<int64_t>* values = axis.coordinate(name)) return *values;
  throw std::out_of_range(name);
}

/// Positions of the keys of a cell, from the coordinates that a reader of the file has.
std::vector<int64_t> keys_of(const AttentionRun& run, const ArrayAxis& keys, size_t cell) {
  const StepInfo& step = run.steps[along(keys, "on_step")[cell]];
  const bool is_raster = step.kind == StepKind::kToken;
  const int64_t width = is_raster ? run.line_tokens : step.grid_width;
  const int64_t begin = is_raster ? run.steps[1].first_token : step.first_token;
  std::vector<int64_t> positions;
  for (int64_t line = 0; line < along(keys, "lines")[cell]; ++line) {
    for (int64_t column = 0; column < along(keys, "columns")[cell]; ++column) {
      positions.push_back(begin + (along(keys, "line")[cell] + line) * width +
                          along(keys, "column")[cell] + column);
    }
  }
  return positions;
}

/// What a query of the first image pays to every key that it sees; a prefill is causal.
at::Tensor row_of(
    const AttentionRun& run, int64_t layer, int64_t head, int64_t step, int64_t query) {
  at::Tensor row = run.weights[step][layer][0][head][query].contiguous();
  if (run.steps[step].kind != StepKind::kPrefill) return row;
  const at::Tensor seen = row.narrow(0, 0, query + 1);
  return seen / seen.sum();
}

void check(AttentionRun run) {
  AttentionRecorder recorder(
      {.guided = true, .statistics = {"map.query"}, .map_query_side = 2, .map_key_side = 3});
  run.generate(recorder, 3);
  AttentionRun other = run;
  other.generate(recorder, 4);  // maps are those of the first image
  const AttentionRecord record = recorder.record();
  const NamedArray& map = record.array("map.query");
  const std::vector<int64_t>& steps = along(map.axes[2], "step");
  const std::vector<int64_t>& queries = along(map.axes[2], "query");
  std::vector<int64_t> seen(
      static_cast<size_t>(keys_of_step(run.steps, std::ssize(run.steps) - 1)));
  for (int64_t layer = 0; layer < run.layers; ++layer) {
    for (int64_t head = 0; head < run.heads; ++head) {
      for (size_t query = 0; query < steps.size(); ++query) {
        const at::Tensor row = row_of(run, layer, head, steps[query], queries[query]);
        double sum = 0;
        for (size_t cell = 0; cell < static_cast<size_t>(map.axes[3].size()); ++cell) {
          double expected = 0;
          for (const int64_t position : keys_of(run, map.axes[3], cell)) {
            if (position < row.numel()) expected += row[position].item<double>();
            if (layer + head == 0 && query == 0 && position < std::ssize(seen)) ++seen[position];
          }
          sum += expected;
          EXPECT_NEAR(map.at(layer, head, query, cell), expected, 1e-6) << query << " " << cell;
        }
        EXPECT_NEAR(sum, 1, 1e-6);
      }
    }
  }
  for (const int64_t cells : seen) EXPECT_EQ(cells, 1) << "every key lies in one cell";
}

TEST(QueryMap, EqualsItsDefinitionForScales) {
  check({});
}

TEST(QueryMap, EqualsItsDefinitionWhereTokensAreDropped) {
  check({.drops = true});
}

TEST(QueryMap, EqualsItsDefinitionForARasterWhoseLastLineIsNotWhole) {
  AttentionRun run{.line_tokens = 7};
  run.steps = next_token_steps(5, 7 * 4 + 3);
  check(run);
}

TEST(QueryMapLayout, KeepsSoManyQueriesAndPoolsSoManyKeys) {
  const CacheGeometry scales{.layers = 1,
                             .heads = 1,
                             .head_dim = 1,
                             .steps = next_scale_steps({{1, 1}, {4, 4}, {12, 20}, {64, 64}})};
  const QueryMapLayout layout = QueryMapLayout::of(scales, 6, 16);
  std::vector<int64_t> queries(4);
  for (const auto& [step, query] : layout.queries) ++queries[static_cast<size_t>(step)];
  EXPECT_EQ(queries, (std::vector<int64_t>{1, 16, 36, 36}));
  std::vector<int64_t> cells(4);
  for (const MapCell& cell : layout.cells) ++cells[static_cast<size_t>(cell.on_step)];
  EXPECT_EQ(cells, (std::vector<int64_t>{1, 16, 60, 256}));
  // The queries of the last scale lie in the middle of the parts of a 6 x 6 division.
  EXPECT_EQ(layout.queries[53].second, 5 * 64 + 5);
  EXPECT_EQ(layout.queries[54].second, 5 * 64 + 16);
  EXPECT_EQ(layout.queries[59].second, 16 * 64 + 5);
}

TEST(QueryMapLayout, ARasterHasTwiceTheSidesAndConditionTokensAreNotPooled) {
  const CacheGeometry raster{.layers = 1,
                             .heads = 1,
                             .head_dim = 1,
                             .steps = next_token_steps(100, 576),
                             .line_tokens = 24};
  const QueryMapLayout layout = QueryMapLayout::of(raster, 3, 6);
  EXPECT_EQ(layout.queries.size(), 9 + 36);
  EXPECT_EQ(layout.cells.size(), 100 + 144);
  EXPECT_EQ(layout.cells[100 + 13].line, 2);
  EXPECT_EQ(layout.cells[100 + 13].column, 2);
  EXPECT_EQ(layout.cells[100 + 13].on_step, 1 + 2 * 24 + 2);
}

TEST(QueryMap, SidesBelowOneAreRefused) {
  EXPECT_THROW(AttentionRecorder({.map_query_side = 0}), Error);
  EXPECT_THROW(AttentionRecorder({.map_key_side = -1}), Error);
}

}  // namespace
}  // namespace kvscope
