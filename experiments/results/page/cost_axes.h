#pragma once

#include <string>
#include <vector>

#include "experiments/results/summary.h"

namespace kvscope {

/// What a point costs, of which less is better: an axis that quality is plotted against.
struct CostAxis {
  std::string key{};  ///< in the page's data: "kv_peak"
  std::string label{};
  std::string unit{};
  int decimals = 2;
  double (*value)(const PointSummary& point) = nullptr;  ///< NaN where it was not measured
};

/// Peak and live KV memory, tokens kept, what was allocated, time. The first is what a plot shows
/// until another is chosen.
const std::vector<CostAxis>& cost_axes();

}  // namespace kvscope
