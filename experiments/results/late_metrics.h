#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// By the name of a metric, why a point has no value of it, if it has none.
using MissingReasons = std::map<std::string, std::string>;

/// Fills metrics of pairs of rows that have none from the images: against the full-cache point
/// whose labels agree except for policy and budget, image of the same prompt and seed. Points may
/// have run before their reference, so a row need not carry them. The standard metrics are filled
/// and those that a point asks for. Returns the reasons of each point.
std::vector<MissingReasons> complete_pair_metrics(std::span<PointSummary> points);

/// Measures those of `known` that are of sets and that a point asks for, from all its images,
/// beside those of its full cache where that is there. Fills PointSummary::metrics of them.
void measure_sets(std::span<PointSummary> points, std::span<const Metric> known);

}  // namespace kvscope
