#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/statistics/pareto.h"
#include "experiments/results/comparable.h"
#include "experiments/results/page/cost_axes.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// One policy's points of a group.
struct SeriesVolume {
  std::string name{};
  std::vector<size_t> points{};  ///< indices, in their order
  double hypervolume = 0;
};

/// What the points of a group show of a cost and a metric together. The full cache is no
/// competitor: it costs what the corner costs.
struct Front {
  std::vector<size_t> points{};  ///< that nothing dominates, from the cheapest
  /// The corner that hypervolumes begin at: the cost of the full cache, or the largest of any point
  /// if that is more or there is none, and the worst value of any point. The metric as it is, also
  /// where lower is better.
  CostQuality corner{};
  double hypervolume = 0;              ///< of all points
  std::vector<SeriesVolume> series{};  ///< of each policy by itself, in the order of the points
};

/// Areas in decades of cost times the metric's unit, see hypervolume().
Front front_of(std::span<const PointSummary> points,
               const ComparableGroup& group,
               const CostAxis& cost,
               const Metric& metric);

}  // namespace kvscope
