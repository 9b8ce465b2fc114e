#include "experiments/results/page/fronts.h"

#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

/// The metric so that higher is better; the same again turns it back.
double upright(const Metric& metric, double value) {
  return metric.higher_is_better ? value : -value;
}

}  // namespace

Front front_of(std::span<const PointSummary> points,
               const ComparableGroup& group,
               const CostAxis& cost,
               const Metric& metric) {
  Front front;
  std::vector<CostQuality> all;
  std::vector<size_t> index;
  std::vector<std::vector<CostQuality>> of_series;
  double full_cost = kNotMeasured;
  for (size_t i = 0; i < group.points.size(); ++i) {
    const PointSummary& point = points[group.points[i]];
    if (point.point().full_cache) {
      full_cost = std::fmax(full_cost, cost.value(point));
      continue;
    }
    auto series = std::ranges::find(front.series, group.series[i], &SeriesVolume::name);
    if (series == front.series.end()) {
      front.series.push_back({.name = group.series[i]});
      of_series.emplace_back();
      series = std::prev(front.series.end());
    }
    series->points.push_back(group.points[i]);
    const Measured& measured = point.metric(metric);
    const CostQuality at{cost.value(point),
                         measured.present() ? upright(metric, measured.value) : kNotMeasured};
    all.push_back(at);
    index.push_back(group.points[i]);
    of_series[static_cast<size_t>(series - front.series.begin())].push_back(at);
  }
  for (const size_t i : pareto_front(all)) front.points.push_back(index[i]);
  CostQuality corner = worst_corner(all);
  corner.cost = std::fmax(corner.cost, full_cost);
  front.hypervolume = hypervolume(all, corner);
  for (size_t i = 0; i < front.series.size(); ++i) {
    front.series[i].hypervolume = hypervolume(of_series[i], corner);
  }
  front.corner = {corner.cost, upright(metric, corner.quality)};
  return front;
}

}  // namespace kvscope
