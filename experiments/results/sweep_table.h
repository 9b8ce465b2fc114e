#pragma once

#include <string>
#include <vector>

#include "experiments/report/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// Names of labels besides policy and budget that differ between the points (model, seed, ...), in
/// the order of their first appearance: what a row needs to be told apart by.
std::vector<std::string> differing_labels(const SweepSummary& sweep);

/// One row a point: differing labels, policy, budget, tokens kept, memory of an image as counted
/// with the plan's prediction beside it (live, peak, all that was allocated; of the device where
/// one was used), seconds an image, attention ms, the metrics (sweep_metrics.h), images.
Table sweep_table(const SweepSummary& sweep);

/// "snapkv", with differing labels before it where there are any.
std::string series_name(const PointInfo& point, const std::vector<std::string>& differing);

/// "snapkv 10 %", likewise.
std::string point_name(const PointInfo& point, const std::vector<std::string>& differing);

/// First 12 digits of the hash, the name of the point's folder.
std::string short_hash(const PointInfo& point);

}  // namespace kvscope
