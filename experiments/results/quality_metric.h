#pragma once

#include <string_view>
#include <vector>

#include "experiments/results/summary.h"

namespace kvscope {

/// A measure of picture quality, higher is better: of an image and of a point.
struct QualityMetric {
  std::string_view name;  ///< file names and options
  std::string_view label;
  std::string_view unit;    ///< empty: none
  std::string_view remark;  ///< beside an axis
  int decimals;             ///< in tables
  double ImageRow::*of_image;
  Measured PointSummary::*of_point;
};

/// psnr, ssim, shape_eval: in the order of a report.
const std::vector<QualityMetric>& quality_metrics();

/// Whether any point has this value.
bool was_measured(const SweepSummary& sweep, const QualityMetric& metric);

/// Those of that name, or all for "all". Throws Error(kConfig) with the nearest name.
std::vector<QualityMetric> metrics_named(const std::string& name);

}  // namespace kvscope
