#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/statistics/paired_comparison.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

// Of the points of one model and one recipe (by_model, by_recipe).

/// Policies down, budgets across, the largest first; a cell is the metric
/// with its 95 % interval. The full cache stands first with the same value in every column.
Table metric_by_budget(const SweepSummary& of_model, const Metric& metric);

/// Differences by budget.
struct Differences {
  Table table{};                     ///< policies down, budgets across
  std::optional<Table> tests{};      ///< a row a cell of it: DifferenceTable
  std::vector<std::string> notes{};  ///< what has no partner, named and counted
};

/// As above, but a cell is by how much the policy differs from `against` at the same budget: the
/// mean over pairs of images of the difference, with its 95 % interval. A pair is of the same
/// prompt and seed (which replica is part of), from points that agree in every setting but those of
/// policy and budget; `against` is the label of a policy, or "snapkv, window 8" where points of it
/// differ in an option. Pairing removes what makes prompts differ, so the interval is narrower than
/// those of the two values. Pairs without a finite value in both are left out. Throws
/// Error(kConfig) where no point of the model has that policy.
Differences difference_by_budget(const SweepSummary& of_model,
                                 const Metric& metric,
                                 const std::string& against,
                                 const ComparisonOptions& options = {});

}  // namespace kvscope
