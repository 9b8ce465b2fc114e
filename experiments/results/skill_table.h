#pragma once

#include "analysis/metrics/metric.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// A metric by the skill that the prompts test, as GenEval has it: one row per point, a column per
/// skill in the order of first appearance and one over all images, each with the metric's interval.
/// Throws Error(kConfig) for a metric of a set, Error(kInput) where no image has a skill.
Table skill_table(const SweepSummary& sweep, const Metric& metric);

}  // namespace kvscope
