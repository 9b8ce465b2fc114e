#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "analysis/metrics/metric.h"
#include "experiments/results/metric_origins.h"

namespace kvscope {

/// A metric of a point's set of images as it was measured before: networks take their time, and a
/// table is read often.
struct StoredSet {
  MetricOrigin origin{};
  std::string images{};  ///< digest of what stood in the set and in its reference
  MetricSummary summary{};
};

/// FOLDER/set_metrics.json's entry of a metric; none where there is no sound one.
std::optional<StoredSet> stored_set(const std::filesystem::path& folder, const std::string& metric);

/// Adds or replaces it. A folder that cannot be written stays as it is.
void store_set(const std::filesystem::path& folder,
               const std::string& metric,
               const StoredSet& stored);

}  // namespace kvscope
