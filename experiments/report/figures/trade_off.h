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

/// True where another point needs no more memory and is no worse in quality, and is better in one
/// of the two. Quality: higher is better (trade_off_chart() turns others round). NaN quality or
/// memory is dominated and dominates nothing.
std::vector<bool> dominated(const std::vector<TradeOff>& points);

/// Area of (log10 memory, quality) that the points dominate, relative to the reference corner of
/// the largest memory and the lowest quality: one number to compare whole curves of one sweep; 0
/// without finite points. `largest_memory_mib` and `lowest_quality` fix the corner.
double hypervolume(const std::vector<TradeOff>& points,
                   double largest_memory_mib,
                   double lowest_quality);

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
