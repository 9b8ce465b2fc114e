#include "experiments/results/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "analysis/statistics/interval.h"
#include "core/base/error.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

/// The cell of a point in the column of a budget, which is its own or, of the full cache, any.
using CellOf = std::function<TableCell(const PointSummary& point, const std::string& budget)>;

/// Budgets of the points, those that keep most tokens first.
std::vector<std::string> budgets_of(const SweepSummary& of_model) {
  std::vector<std::pair<double, std::string>> most;
  for (const PointSummary& summary : of_model.points) {
    const PointInfo& point = summary.point();
    if (point.full_cache) continue;
    const auto known =
        std::ranges::find(most, point.label("budget"), &std::pair<double, std::string>::second);
    if (known == most.end()) {
      most.emplace_back(point.kept_tokens, point.label("budget"));
    } else {
      known->first = std::max(known->first, point.kept_tokens);
    }
  }
  std::ranges::stable_sort(most, std::ranges::greater{}, &std::pair<double, std::string>::first);
  std::vector<std::string> budgets;
  for (const auto& [tokens, label] : most) budgets.push_back(label);
  return budgets;
}

Table by_budget(const SweepSummary& of_model, const Metric& metric, const CellOf& cell_of) {
  const std::vector<LabelKey> differing = differing_keys(of_model);
  const std::vector<std::string> budgets = budgets_of(of_model);
  Table table;
  table.interval_name = "half width of the 95 % confidence interval";
  table.columns.push_back({.header = "policy", .align = Align::kLeft});
  for (const std::string& budget : budgets) {
    table.columns.push_back({.header = budget,
                             .unit = metric.unit,
                             .better = metric.higher_is_better ? Better::kHigher : Better::kLower,
                             .decimals = metric.decimals_by_budget});
  }
  std::map<std::string, size_t> row_of;
  for (const PointSummary& summary : of_model.points) {
    const PointInfo& point = summary.point();
    const std::string name = series_name(summary, differing);
    const auto [found, is_new] = row_of.try_emplace(name, table.rows.size());
    if (is_new) {
      table.rows.push_back({.cells = {TableCell::text(name)}, .reference = point.full_cache});
      const TableCell none = TableCell::missing("no finished point");
      table.rows.back().cells.resize(budgets.size() + 1, none);
    }
    std::vector<TableCell>& cells = table.rows[found->second].cells;
    for (size_t column = 0; column < budgets.size(); ++column) {
      if (point.full_cache || budgets[column] == point.label("budget")) {
        cells[column + 1] = cell_of(summary, budgets[column]);
      }
    }
    table.provenance.push_back(short_hash(point));
  }
  return table;
}

std::string model_name(const SweepSummary& of_model) {
  return of_model.points.front().point().label("model");
}

/// Differences of the images of two points, paired by prompt and seed.
std::vector<double> paired_differences(const PointSummary& point,
                                       const PointSummary& reference,
                                       const Metric& metric) {
  std::map<std::pair<uint64_t, uint64_t>, double> of_reference;
  for (const ImageRow& row : reference.result.rows) {
    of_reference[{row.prompt_id, row.seed}] = row.metrics[metric.name];
  }
  std::vector<double> differences;
  for (const ImageRow& row : point.result.rows) {
    const auto other = of_reference.find({row.prompt_id, row.seed});
    if (other == of_reference.end()) continue;
    const double difference = row.metrics[metric.name] - other->second;
    if (std::isfinite(difference)) differences.push_back(difference);
  }
  return differences;
}

}  // namespace

Table metric_by_budget(const SweepSummary& of_model, const Metric& metric) {
  Table table = by_budget(of_model, metric, [&](const PointSummary& summary, const std::string&) {
    const Measured& measured = summary.metric(metric);
    return measured.present() ? TableCell::number(measured.value, measured.half_width())
                              : TableCell::missing(measured.missing);
  });
  table.title = fmt::format("{} on {} by budget", metric.title, model_name(of_model));
  return table;
}

Table difference_by_budget(const SweepSummary& of_model,
                           const Metric& metric,
                           const std::string& against) {
  std::map<std::string, const PointSummary*> references;  // by budget; "" is the full cache
  std::vector<std::string> policies;
  for (const PointSummary& summary : of_model.points) {
    const PointInfo& point = summary.point();
    const std::string policy = point.label("policy");
    if (std::ranges::find(policies, policy) == policies.end()) policies.push_back(policy);
    if (policy == against) references[point.full_cache ? "" : point.label("budget")] = &summary;
  }
  if (references.empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} has no policy '{}' to compare with. {}", model_name(of_model),
                            against, suggestion(against, policies)));
  }
  Table table =
      by_budget(of_model, metric, [&](const PointSummary& summary, const std::string& budget) {
        auto reference = references.find("");
        if (reference == references.end()) reference = references.find(budget);
        if (reference == references.end()) {
          return TableCell::missing(against + " has no point of this budget");
        }
        if (reference->second == &summary) return TableCell::missing("the one compared with");
        const std::vector<double> differences =
            paired_differences(summary, *reference->second, metric);
        if (differences.empty()) {
          return TableCell::missing(
              "no image of the same prompt and seed has a finite value in both");
        }
        const Interval interval = mean_interval(differences);
        return TableCell::number(interval.estimate, (interval.high - interval.low) / 2);
      });
  table.title = fmt::format("{} on {}: difference to {}, paired by image", metric.label,
                            model_name(of_model), against);
  return table;
}

}  // namespace kvscope
