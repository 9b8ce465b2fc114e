#pragma once

#include "experiments/paper/paper_item.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// The published numbers of a series beside what the sweep measured of the same policy and budget,
/// in the metric of that name. The model of each side is in the header, as they need not be the
/// same. What was not measured has a missing cell that says so.
Table published_beside_measured(const PublishedSeries& series,
                                const SweepSummary& sweep,
                                const std::string& title);

}  // namespace kvscope
