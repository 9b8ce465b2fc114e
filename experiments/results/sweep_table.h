#pragma once

#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// One row per point: differing keys (point_labels.h), policy, budget, tokens kept, memory of an
/// image as counted with the plan's prediction beside it (live, peak, all that was allocated; of
/// the device where one was used), seconds per image, attention ms, the metrics (sweep_metrics.h),
/// numbers of published judges (judge_numbers.h), images.
Table sweep_table(const SweepSummary& sweep);

}  // namespace kvscope
