#include "experiments/results/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "experiments/results/difference_table.h"
#include "experiments/results/name_match.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/sweep_recipes.h"

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
  table.notes = recipes_of(of_model).legend();
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
        cells[column + 1].point = short_hash(point);
      }
    }
    table.provenance.push_back(short_hash(point));
  }
  return table;
}

std::string model_name(const SweepSummary& of_model) {
  return of_model.points.front().point().label("model");
}

bool is_of_policy(const std::string& key) {
  return key.starts_with("policy.") || key.starts_with("budget.") || key == "policy" ||
         key == "budget";
}

/// Settings that two points have to share for their images to be compared.
PointSettings shared_settings(const PointSummary& point) {
  PointSettings settings = point.settings;
  std::erase_if(settings, [](const auto& setting) { return is_of_policy(setting.first); });
  return settings;
}

/// "snapkv, window 8": the policy with those of its options that points of it differ in.
std::string policy_name(const PointSummary& point, std::vector<LabelKey> differing) {
  std::erase_if(differing, [](const LabelKey& key) { return !is_of_policy(key.key); });
  return series_name(point, differing);
}

/// ", seed 1": what else than policy and budget a point is of.
std::string rest_of_name(const PointSummary& point, std::vector<LabelKey> differing) {
  std::erase_if(differing, [](const LabelKey& key) { return is_of_policy(key.key); });
  return series_name(point, differing).substr(point.point().label("policy").size());
}

/// The points of one policy, to be compared with.
class References {
 public:
  References(const SweepSummary& of_model, const std::string& against)
      : differing_(differing_keys(of_model)) {
    std::vector<std::string> policies;
    for (const PointSummary& summary : of_model.points) {
      for (const std::string& one :
           {summary.point().label("policy"), policy_name(summary, differing_)}) {
        if (std::ranges::find(policies, one) == policies.end()) policies.push_back(one);
      }
    }
    against_ = meant_name({"--against", "policy"}, against, policies);
    for (const PointSummary& summary : of_model.points) {
      const bool named = summary.point().label("policy") == against_;
      if (named || policy_name(summary, differing_) == against_) points_.push_back(&summary);
    }
  }

  /// The one that agrees with `point` in all but policy and budget, of that budget or a full cache.
  /// Null, and why, where there is none or more than one.
  const PointSummary* find(const PointSummary& point,
                           const std::string& budget,
                           std::string& missing) const {
    std::vector<const PointSummary*> found;
    for (const PointSummary* one : points_) {
      const bool of_budget = one->point().full_cache || one->point().label("budget") == budget;
      if (of_budget && shared_settings(*one) == shared_settings(point)) found.push_back(one);
    }
    if (found.size() == 1) return found.front();
    if (found.empty()) {
      missing = against_ + " has no point of this budget" + rest_of_name(point, differing_);
    } else {
      std::vector<std::string> names;
      for (const PointSummary* one : found) {
        names.push_back("--against '" + policy_name(*one, differing_) + "'");
      }
      missing = fmt::format("{} has {} points of this budget: {}", against_, found.size(),
                            fmt::join(names, ", "));
    }
    return nullptr;
  }

  [[nodiscard]] std::string name(const PointSummary& point) const {
    return point_name(point, differing_);
  }

 private:
  std::string against_;
  std::vector<LabelKey> differing_;
  std::vector<const PointSummary*> points_;
};

}  // namespace

Table metric_by_budget(const SweepSummary& of_model, const Metric& metric) {
  Table table = by_budget(of_model, metric, [&](const PointSummary& summary, const std::string&) {
    return summary.metric(metric).cell();
  });
  table.title = fmt::format("{} on {} by budget", metric.title, model_name(of_model));
  return table;
}

Differences difference_by_budget(const SweepSummary& of_model,
                                 const Metric& metric,
                                 const std::string& against,
                                 const ComparisonOptions& options) {
  const References references(of_model, against);
  const std::vector<LabelKey> differing = differing_keys(of_model);
  DifferenceTable tests(metric, options, {"policy", "budget"});
  std::vector<std::string> alone;
  Differences result;
  result.table =
      by_budget(of_model, metric, [&](const PointSummary& summary, const std::string& budget) {
        std::string missing;
        const PointSummary* reference = references.find(summary, budget, missing);
        if (reference == nullptr) {
          const std::string name = references.name(summary);
          if (std::ranges::find(alone, name) == alone.end()) alone.push_back(name);
          return TableCell::missing(missing);
        }
        if (reference == &summary) return TableCell::missing("the one compared with");
        const auto found = tests.add({series_name(summary, differing), budget},
                                     {summary, references.name(summary)},
                                     {*reference, references.name(*reference)}, missing);
        if (!found) return TableCell::missing(missing);
        const Interval& by = found->difference;
        return Measured{.value = by.estimate, .low = by.low, .high = by.high}
            .over(found->pairs, std::ssize(summary.result.rows))
            .cell();
      });
  result.notes = tests.notes();
  if (!alone.empty()) {
    result.notes.push_back(fmt::format("{} of {} points have no partner in some column: {}",
                                       alone.size(), of_model.points.size(),
                                       fmt::join(alone, "; ")));
  }
  const std::string title = fmt::format("{} on {}: difference to {}, paired by image", metric.title,
                                        model_name(of_model), against);
  result.table.title = title;
  result.table.ends_name = interval_title(options);
  result.table.interval_name = "half width of the " + result.table.ends_name;
  if (!tests.empty()) result.tests = tests.table(title + ", tested");
  return result;
}

}  // namespace kvscope
