#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "experiments/report/figures/chart.h"

namespace kvscope {

/// One point of a sweep: what it cost and how good the images were.
struct TradeOff {
  std::string policy{};
  std::string label{};  // the budget as the user wrote it, e.g. "10 %"
  double memory_mib = 0;
  double quality = 0;
  double quality_low = std::numeric_limits<double>::quiet_NaN();  // of its interval; NaN: none
  double quality_high = std::numeric_limits<double>::quiet_NaN();
};

/// Memory (logarithmic) against quality, one line per policy in order of appearance, points at one
/// memory side by side, the full cache as reference lines. `quality` names, unit and remark come
/// from `quality_axis`; `full` is the full-cache point; its quality line is left out when infinite,
/// as where it is compared with itself. With `highlighted` policies those have the colours, in that
/// order, and all others are thin grey lines; none are highlighted where there are as many policies
/// as colours or fewer, else those of the largest hypervolume. Throws Error(kConfig) for one
/// without a point.
Chart trade_off_chart(const std::vector<TradeOff>& points,
                      const std::optional<TradeOff>& full,
                      const ChartAxis& quality_axis,
                      const std::vector<std::string>& highlighted = {},
                      bool higher_is_better = true);

}  // namespace kvscope
