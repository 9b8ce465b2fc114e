#include "experiments/results/page/rankings_payload.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/mebibytes.h"
#include "experiments/report/text.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {
namespace {

nlohmann::json value_json(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

}  // namespace

nlohmann::json rankings_json(const SweepSummary& sweep) {
  nlohmann::json all = nlohmann::json::array();
  const std::vector<ComparableGroup> groups = comparable_groups(sweep.points);
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const Ranking& ranking : rankings(sweep, groups[g])) {
      nlohmann::json rows = nlohmann::json::array();
      for (const RankedSeries& series : ranking.series) {
        rows.push_back({{"rank", series.rank},
                        {"name", printable(series.name)},
                        {"point", series.point},
                        {"hash", sweep.points[series.point].point().point_hash},
                        {"value", value_json(series.value)}});
      }
      all.push_back(
          {{"group", g},
           {"metric", ranking.metric},
           {"budget", printable(ranking.budget)},
           {"limit_mib", ranking.budget.empty() ? nlohmann::json()
                                                : nlohmann::json(mebibytes(ranking.limit_bytes))},
           {"rows", rows}});
    }
  }
  return all;
}

Table ranking_table(const SweepSummary& sweep,
                    const ComparableGroup& group,
                    const Ranking& ranking) {
  const Metric metric = shown_metrics(sweep).at(ranking.metric);
  const bool by_volume = ranking.budget.empty();
  const Better metric_better = metric.higher_is_better ? Better::kHigher : Better::kLower;
  const std::string unit = metric.unit.empty() ? metric.label : metric.unit;
  Table table;
  table.title =
      fmt::format("{}: {}", group.name,
                  by_volume ? metric.title + " over memory"
                            : fmt::format("{} with at most {:.2f} MiB, as of {}", metric.title,
                                          mebibytes(ranking.limit_bytes), ranking.budget));
  table.columns = {
      {.header = "rank", .decimals = 0},
      {.header = "policy", .align = Align::kLeft, .importance = Importance::kRow},
      {.header = by_volume ? "hypervolume" : metric.label,
       .unit = by_volume ? "decades x " + unit : metric.unit,
       .better = by_volume ? Better::kHigher : metric_better,
       .decimals = metric.decimals,
       .help = by_volume ? "area of log10 of peak KV memory and quality that the policy's points "
                           "dominate, up to the full cache's memory and the worst quality"
                         : ""},
      {.header = by_volume ? "best point" : "budget", .align = Align::kLeft},
      {.header = "KV peak", .unit = "MiB"},
      {.header = "images", .decimals = 0, .importance = Importance::kBookkeeping},
      {.header = "folder", .align = Align::kLeft, .importance = Importance::kDetail}};
  table.interval_name = "half width of the 95 % confidence interval";
  for (const RankedSeries& series : ranking.series) {
    const PointSummary& point = sweep.points[series.point];
    const Measured& measured = point.metric(metric);
    TableRow row{.point = short_hash(point.point())};
    row.cells = {TableCell::number(static_cast<double>(series.rank)),
                 TableCell::text(series.name),
                 by_volume ? TableCell::number(series.value) : measured.cell(),
                 TableCell::text(budget_name(point.point())),
                 TableCell::number(mebibytes(point.kv_peak_bytes)),
                 TableCell::number(static_cast<double>(point.result.rows.size())),
                 TableCell::text(point.folder.parent_path().parent_path().string())};
    table.rows.push_back(std::move(row));
    table.provenance.push_back(short_hash(point.point()));
  }
  return table;
}

}  // namespace kvscope
