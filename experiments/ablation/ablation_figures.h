#pragma once

#include "experiments/ablation/ablation_result.h"
#include "experiments/report/figures/chart.h"
#include "experiments/report/figures/heatmap.h"
#include "experiments/report/tables/table.h"

namespace kvscope {

/// The full cache first, then what was hidden: the metric, how many images it leaves out where it
/// leaves any out, and the difference to nothing hidden, paired by image, each with its 95 %
/// interval. Metrics of pairs have no difference to nothing hidden: they are themselves one.
Table ablation_table(const AblationResult& result);

/// The metric over two axes; what changed no image (an infinite value) is hatched.
Heatmap ablation_map(const AblationResult& result);

/// The metric along one axis, with the full cache's as a line where there is one.
Chart ablation_chart(const AblationResult& result);

}  // namespace kvscope
