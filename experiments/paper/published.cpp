#include "experiments/paper/published.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/metrics/registry.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

const PointSummary* point_of(const SweepSummary& sweep, const PublishedValue& value) {
  const auto is_it = [&](const PointSummary& point) {
    return point.point().label("policy") == value.policy &&
           budget_name(point.point()) == value.budget;
  };
  const auto found = std::ranges::find_if(sweep.points, is_it);
  return found == sweep.points.end() ? nullptr : &*found;
}

TableCell measured_cell(const PointSummary* point, const Metric& metric) {
  if (point == nullptr) return TableCell::missing("the sweep has no such point");
  return point->metric(metric).cell();
}

}  // namespace

Table published_beside_measured(const PublishedSeries& series,
                                const SweepSummary& sweep,
                                const std::string& title) {
  const Metric metric = metric_named(series.metric);
  const std::string model = sweep.points.empty() ? "" : sweep.points.front().point().label("model");
  Table table;
  table.title = title;
  const auto number = [&](const std::string& header) {
    return TableColumn{.header = header,
                       .unit = metric.unit,
                       .better = Better::kNone,
                       .decimals = metric.decimals};
  };
  table.columns = {
      {.header = "policy", .align = Align::kLeft, .importance = Importance::kRow},
      {.header = "budget", .importance = Importance::kRow},
      number(fmt::format("{} of {}, published",
                         series.called.empty() ? metric.title : series.called, series.model)),
      number(fmt::format("{} of {}, measured", metric.title, model))};
  for (const PublishedValue& value : series.values) {
    table.rows.push_back(
        {.cells = {TableCell::text(value.policy), TableCell::text(value.budget),
                   TableCell::number(value.value), measured_cell(point_of(sweep, value), metric)}});
  }
  for (const PointSummary& point : sweep.points) {
    table.provenance.push_back(short_hash(point.point()));
  }
  return table;
}

}  // namespace kvscope
