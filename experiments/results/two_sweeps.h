#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/statistics/paired_comparison.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// The points of a results folder, or the one point whose own folder this is. Throws as
/// summarise_sweep().
SweepSummary summarise_sweep_or_point(const std::filesystem::path& folder);

/// A point of each of two sweeps.
struct MatchedPoints {
  const PointSummary* first = nullptr;
  const PointSummary* second = nullptr;
  std::vector<std::string> differing{};  ///< settings with both values: "gen.tau 1, 0.5"
};

/// Points of the same settings; of the others, those of one model, policy, budget and seed that are
/// the only ones of them on either side. Two single points always match. They live as long as the
/// sweeps.
std::vector<MatchedPoints> matched_points(const SweepSummary& first, const SweepSummary& second);

/// By how much the second sweep differs from the first, a row a pair of points.
struct SweepDifferences {
  std::optional<Table> table{};
  std::vector<std::string> notes{};
};
SweepDifferences difference_of_sweeps(const SweepSummary& first,
                                      const SweepSummary& second,
                                      const Metric& metric,
                                      const ComparisonOptions& options = {});

}  // namespace kvscope
