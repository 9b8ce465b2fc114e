#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/chart.h"
#include "experiments/report/contact_sheet.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// A measure of picture quality that memory is plotted against.
struct QualityMetric {
  std::string_view name;  ///< psnr, ssim, shape_eval: file names and options
  ChartAxis axis;
  Measured PointSummary::*value;
};

/// All of them, in the order of a report.
const std::vector<QualityMetric>& quality_metrics();

/// Whether any point has this value.
bool was_measured(const SweepSummary& sweep, const QualityMetric& metric);

/// Peak KV memory against the metric, one line a policy (and differing label), the full cache as
/// reference lines.
Chart quality_chart(const SweepSummary& sweep, const QualityMetric& metric);

/// One row a point, the same prompts across: of the first `prompts` images of the first point.
/// `magnification` 0 chooses one that makes a picture about 128 pixels wide.
ContactSheet sweep_contact_sheet(const SweepSummary& sweep, int64_t prompts, int64_t magnification);

}  // namespace kvscope
