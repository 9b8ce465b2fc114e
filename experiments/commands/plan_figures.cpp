#include "experiments/commands/plan_figures.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "core/base/atomic_file.h"
#include "core/base/mebibytes.h"
#include "experiments/report/figures/chart.h"
#include "experiments/report/figures/heatmap.h"
#include "experiments/report/tables/table.h"

namespace kvscope {
namespace {

/// What attends: a last step that nothing reads holds nothing more.
int64_t shown_steps(const Plan& plan) {
  return last_attending_step(plan.geometry().steps) + 1;
}

double mean_tokens(const Plan& plan, int64_t step, int64_t layer) {
  const int64_t heads = plan.geometry().heads;
  int64_t tokens = 0;
  for (int64_t head = 0; head < heads; ++head) tokens += plan.kept(step, layer, head);
  return static_cast<double>(tokens) / static_cast<double>(heads);
}

std::string point_title(const Point& point) {
  return point.full_cache ? "full cache"
                          : fmt::format("{}, {}", point.label("policy"), point.label("budget"));
}

}  // namespace

void write_plan_map(const Point& point, const std::filesystem::path& out) {
  const Plan& plan = point.plan;
  const CacheGeometry& cache = plan.geometry();
  const int64_t steps = shown_steps(plan);
  Heatmap map;
  map.title = "Tokens kept per head after every step";
  map.subtitle = fmt::format("{}, {}", point.facts.name, point_title(point));
  map.row_axis = "layer";
  map.column_axis = "step";
  map.value_label = "tokens per head";
  Table table;
  table.columns = {{.header = "layer"}};
  for (int64_t step = 0; step < steps; ++step) {
    map.column_labels.push_back(fmt::format("{}", step));
    table.columns.push_back({.header = fmt::format("tokens after step {}", step)});
  }
  for (int64_t layer = 0; layer < cache.layers; ++layer) {
    map.row_labels.push_back(fmt::format("{}", layer));
    TableRow row{.cells = {TableCell::number(static_cast<double>(layer))}};
    for (int64_t step = 0; step < steps; ++step) {
      map.values.push_back(mean_tokens(plan, step, layer));
      row.cells.push_back(TableCell::number(map.values.back()));
    }
    table.rows.push_back(std::move(row));
  }
  if (out.extension() == ".csv") {
    write_file_atomically(out, csv_table(table));
  } else {
    write_figure(draw_heatmap(map), out, heatmap_info(map));
  }
}

void write_plan_curve(std::span<const Point> points, const std::filesystem::path& out) {
  Chart chart;
  const Point& first = points.front();
  chart.title = "KV cache after every step";
  chart.subtitle = fmt::format("{}, {} image{} at once", first.facts.name, first.generation.batch,
                               first.generation.batch == 1 ? "" : "s");
  chart.x = {.label = "step"};
  chart.y = {.label = "KV cache", .unit = "MiB", .minimum = 0};
  Table table;
  table.columns = {{.header = "step"}};
  const int64_t steps = shown_steps(first.plan);
  for (int64_t step = 0; step < steps; ++step) {
    table.rows.push_back({.cells = {TableCell::number(static_cast<double>(step))}});
  }
  for (const Point& point : points) {
    ChartSeries series{.name = point_title(point), .markers = steps <= 32};
    table.columns.push_back({.header = series.name, .unit = "bytes"});
    const int64_t rows = point.generation.rows(point.generation.batch);
    for (int64_t step = 0; step < steps; ++step) {
      const auto bytes = static_cast<double>(point.plan.live_bytes(step, rows));
      series.points.push_back({.x = static_cast<double>(step), .y = mebibytes(bytes)});
      table.rows[static_cast<size_t>(step)].cells.push_back(TableCell::number(bytes));
    }
    chart.series.push_back(std::move(series));
  }
  if (out.extension() == ".csv") {
    write_file_atomically(out, csv_table(table));
  } else {
    write_figure(draw_chart(chart), out, chart_info(chart));
  }
}

}  // namespace kvscope
