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

/// Fills metrics of rows that have none from the images: of images and, against the full-cache
/// point of the same setting, image of the same prompt and seed, of pairs. Points may have run
/// before their reference, or before they were asked for a metric, so a row need not carry them.
/// The standard metrics of pairs are filled and all that a point asks for, and marked in
/// PointSummary::filled_late. Returns the reasons of each point; images that cannot be read are
/// said in `notes`.
std::vector<MissingReasons> complete_metrics(std::span<PointSummary> points,
                                             std::vector<std::string>& notes);

/// Writes the values of points that were filled late into their result files, so that these say
/// what tables show. A file that another program works on, or that cannot be written, stays as it
/// is.
void write_late_metrics(std::span<const PointSummary> points);

/// Measures those of `known` that are of sets and that a point asks for, from all its images,
/// beside those of its full cache where that is there. Fills PointSummary::metrics of them.
void measure_sets(std::span<PointSummary> points,
                  std::span<const Metric> known,
                  std::vector<std::string>& notes);

}  // namespace kvscope
