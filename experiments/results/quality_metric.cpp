#include "experiments/results/quality_metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/base/error.h"

namespace kvscope {

const std::vector<QualityMetric>& quality_metrics() {
  static const std::vector<QualityMetric> metrics = {
      {"psnr", "PSNR to the full cache", "dB", "higher is better", 1, &ImageRow::psnr_decibels,
       &PointSummary::psnr_decibels},
      {"ssim", "SSIM to the full cache", "", "higher is better", 3, &ImageRow::ssim,
       &PointSummary::ssim},
      {"shape_eval", "ShapeEval", "", "share of right pictures, higher is better", 3,
       &ImageRow::shape_eval, &PointSummary::shape_eval}};
  return metrics;
}

bool was_measured(const SweepSummary& sweep, const QualityMetric& metric) {
  return std::ranges::any_of(sweep.points, [&](const PointSummary& summary) {
    return (summary.*metric.of_point).present();
  });
}

std::vector<QualityMetric> metrics_named(const std::string& name) {
  if (name == "all") return quality_metrics();
  std::vector<std::string> known = {"all"};
  for (const QualityMetric& metric : quality_metrics()) {
    if (metric.name == name) return {metric};
    known.emplace_back(metric.name);
  }
  throw Error(ErrorKind::kConfig, fmt::format("no metric '{}'. {}", name, suggestion(name, known)));
}

}  // namespace kvscope
