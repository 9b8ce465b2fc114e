#include "experiments/results/sweep_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/mebibytes.h"
#include "experiments/results/judge_numbers.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"

namespace kvscope {
namespace {

/// A memory column: a number per point, in bytes, and NaN where there is none.
struct MemoryColumn {
  const char* header;
  const char* help;
  double (*bytes)(const PointSummary& summary);
  Better better = Better::kNone;
  Importance importance = Importance::kBookkeeping;
};

/// What was counted, and beside it what the plan predicts.
const std::vector<MemoryColumn>& memory_columns() {
  static constexpr auto known = [](int64_t bytes) {
    return bytes > 0 ? static_cast<double>(bytes) : kNotMeasured;
  };
  static const std::vector<MemoryColumn> columns = {
      {"KV live", "tokens held going into the last step",
       [](const PointSummary& s) { return static_cast<double>(s.kv_live_bytes); }},
      {"KV planned", "KV live as the plan predicts it",
       [](const PointSummary& s) { return static_cast<double>(s.kv_planned_bytes); }},
      {"KV peak", "the most K and V at once, with what a layer has just made and not evicted yet",
       [](const PointSummary& s) { return static_cast<double>(s.kv_peak_bytes); }, Better::kLower,
       Importance::kHeadline},
      {"peak planned", "KV peak as the plan predicts it",
       [](const PointSummary& s) { return known(s.kv_peak_planned_bytes); }},
      {"allocated",
       "the most that the allocator had handed out at once from prompt to image, without the "
       "weights",
       [](const PointSummary& s) { return known(s.allocator_peak_bytes); }, Better::kLower,
       Importance::kDetail},
      {"of it planned",
       "cache and the step at work, as the plan predicts them; activations and the image decoder "
       "are the rest",
       [](const PointSummary& s) { return known(s.allocator_planned_bytes); }}};
  return columns;
}

/// A metric's column for the points of one recipe, and whether one beside it counts the images that
/// it leaves out.
struct MetricColumns {
  Metric metric;
  size_t recipe = 0;
  bool counts_left_out = false;
};

std::vector<MetricColumns> metric_columns(const SweepSummary& sweep, const SweepRecipes& recipes) {
  std::vector<MetricColumns> columns;
  for (const Metric& metric : shown_metrics(sweep)) {
    for (size_t recipe = 0; recipe < recipes.recipes.size(); ++recipe) {
      MetricColumns& column = columns.emplace_back(MetricColumns{metric, recipe});
      for (size_t i = 0; i < sweep.points.size(); ++i) {
        column.counts_left_out =
            column.counts_left_out ||
            (recipes.of_point[i] == recipe && sweep.points[i].metric(metric).left_out > 0);
      }
    }
  }
  return columns;
}

bool any_device(const SweepSummary& sweep) {
  return std::ranges::any_of(sweep.points, [](const PointSummary& summary) {
    return !std::isnan(summary.device_peak_bytes);
  });
}

TableCell memory_cell(double bytes, const char* missing) {
  return std::isnan(bytes) ? TableCell::missing(missing) : TableCell::number(mebibytes(bytes));
}

std::vector<TableColumn> columns_of(const std::vector<LabelKey>& differing,
                                    const std::vector<MetricColumns>& metrics,
                                    const SweepRecipes& recipes,
                                    bool on_device) {
  std::vector<TableColumn> columns;
  if (recipes.several()) {
    columns.push_back({.header = "recipe", .align = Align::kLeft, .importance = Importance::kRow});
  }
  for (const LabelKey& key : differing) {
    columns.push_back(
        {.header = key.header, .align = Align::kLeft, .importance = Importance::kRow});
  }
  columns.push_back({.header = "policy", .align = Align::kLeft, .importance = Importance::kRow});
  columns.push_back({.header = "budget", .importance = Importance::kRow});
  columns.push_back({.header = "tokens kept",
                     .decimals = 1,
                     .importance = Importance::kDetail,
                     .help = "mean over layers and heads, going into the last step"});
  for (const MemoryColumn& column : memory_columns()) {
    columns.push_back({.header = column.header,
                       .unit = "MiB",
                       .better = column.better,
                       .importance = column.importance,
                       .help = column.help});
  }
  if (on_device) {
    columns.push_back({.header = "device peak", .unit = "MiB", .importance = Importance::kDetail});
  }
  columns.push_back({.header = "time", .unit = "s/image", .better = Better::kLower, .decimals = 3});
  columns.push_back({.header = "attention",
                     .unit = "ms",
                     .better = Better::kLower,
                     .decimals = 1,
                     .importance = Importance::kDetail});
  for (const MetricColumns& metric : metrics) {
    columns.push_back({.header = recipes.header(metric.metric.label, metric.recipe),
                       .unit = metric.metric.unit,
                       .better = metric.metric.higher_is_better ? Better::kHigher : Better::kLower,
                       .decimals = metric.metric.decimals});
    if (metric.counts_left_out) {
      columns.push_back({.header = recipes.header(metric.metric.left_out, metric.recipe),
                         .decimals = 0,
                         .importance = Importance::kDetail});
    }
  }
  columns.push_back({.header = "images", .decimals = 0, .importance = Importance::kBookkeeping});
  columns.push_back({.header = recipes.several() ? "recipe in full" : "recipe",
                     .align = Align::kLeft,
                     .importance = Importance::kCsvAlone});
  return columns;
}

TableRow row_of(const PointSummary& summary,
                const std::vector<LabelKey>& differing,
                const std::vector<MetricColumns>& metrics,
                const SweepRecipes& recipes,
                size_t recipe,
                bool on_device) {
  const PointInfo& point = summary.point();
  TableRow row{.reference = point.full_cache, .point = short_hash(point)};
  if (recipes.several()) row.cells.push_back(TableCell::text(SweepRecipes::label(recipe)));
  for (const LabelKey& key : differing) {
    row.cells.push_back(TableCell::text(label_value(summary, key)));
  }
  row.cells.push_back(TableCell::text(point.label("policy")));
  row.cells.push_back(TableCell::text(budget_name(point)));
  row.cells.push_back(TableCell::number(point.kept_tokens));
  for (const MemoryColumn& column : memory_columns()) {
    row.cells.push_back(
        memory_cell(column.bytes(summary), "not measured by the version that made the point"));
  }
  if (on_device) row.cells.push_back(memory_cell(summary.device_peak_bytes, "ran on a CPU"));
  row.cells.push_back(summary.seconds_per_image.cell());
  row.cells.push_back(summary.attention_ms.cell());
  for (const MetricColumns& column : metrics) {
    const Measured& measured = summary.metric(column.metric);
    if (column.recipe != recipe) {
      const TableCell other = TableCell::missing("of another recipe");
      row.cells.insert(row.cells.end(), column.counts_left_out ? 2 : 1, other);
      continue;
    }
    row.cells.push_back(measured.cell());
    if (!column.counts_left_out) continue;
    row.cells.push_back(measured.present() || !point.full_cache
                            ? TableCell::number(static_cast<double>(measured.left_out))
                            : TableCell::missing(measured.missing));
  }
  row.cells.push_back(TableCell::number(static_cast<double>(summary.result.rows.size())));
  row.cells.push_back(TableCell::text(recipes.recipes[recipe].text()));
  return row;
}

/// Numbers of published judges, in front of the images and the recipe.
void add_judges(Table& table, const SweepSummary& sweep) {
  const JudgeColumns judged = judge_columns(sweep);
  table.columns.insert(table.columns.end() - 2, judged.columns.begin(), judged.columns.end());
  for (size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<TableCell>& cells = table.rows[i].cells;
    cells.insert(cells.end() - 2, judged.cells[i].begin(), judged.cells[i].end());
  }
}

}  // namespace

Table sweep_table(const SweepSummary& sweep) {
  const std::vector<LabelKey> differing = differing_keys(sweep);
  const SweepRecipes recipes = recipes_of(sweep);
  const std::vector<MetricColumns> metrics = metric_columns(sweep, recipes);
  const bool on_device = any_device(sweep);
  Table table;
  const PointInfo& first = sweep.points.front().point();
  const bool one_model = std::ranges::find(differing, "model", &LabelKey::key) == differing.end();
  table.title = one_model && !first.label("model").empty()
                    ? "KV-cache policies on " + first.label("model")
                    : "KV-cache policies";
  table.columns = columns_of(differing, metrics, recipes, on_device);
  table.interval_name = "half width of the 95 % confidence interval";
  table.notes = recipes.legend();
  for (size_t i = 0; i < sweep.points.size(); ++i) {
    const PointSummary& summary = sweep.points[i];
    table.rows.push_back(
        row_of(summary, differing, metrics, recipes, recipes.of_point[i], on_device));
    table.provenance.push_back(short_hash(summary.point()));
  }
  add_judges(table, sweep);
  return table;
}

}  // namespace kvscope
