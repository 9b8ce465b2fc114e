#pragma once

#include <string>

#include "analysis/metrics/metric.h"
#include "experiments/report/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// Policies of one model (by_model) down, budgets across, the largest first; a cell is the metric
/// with its 95 % interval. The full cache stands first with the same value in every column.
Table metric_by_budget(const SweepSummary& of_model, const Metric& metric);

/// As above, but a cell is by how much the policy differs from policy `against` at the same budget:
/// the mean over the images of the same prompt and seed of the difference, with Student's 95 %
/// interval. Pairing removes what makes prompts differ, so the interval is narrower than those of
/// the two values. Images that lack a finite value in either are left out. Throws Error(kConfig)
/// where no point of the model has that policy.
Table difference_by_budget(const SweepSummary& of_model,
                           const Metric& metric,
                           const std::string& against);

}  // namespace kvscope
