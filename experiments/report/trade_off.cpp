#include "experiments/report/trade_off.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kvscope {
namespace {

bool is_real(const TradeOff& point) {
  return !std::isnan(point.quality) && !std::isnan(point.memory_mib);
}

bool beats(const TradeOff& a, const TradeOff& b) {
  if (a.memory_mib > b.memory_mib || a.quality < b.quality) return false;
  return a.memory_mib < b.memory_mib || a.quality > b.quality;
}

// The points that nothing beats, from small memory to large; quality then rises too.
std::vector<TradeOff> frontier_of(const std::vector<TradeOff>& points) {
  const std::vector<bool> is_dominated = dominated(points);
  std::vector<TradeOff> best;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!is_dominated[i] && std::isfinite(points[i].quality) && points[i].memory_mib > 0) {
      best.push_back(points[i]);
    }
  }
  std::sort(best.begin(), best.end(),
            [](const TradeOff& a, const TradeOff& b) { return a.memory_mib < b.memory_mib; });
  return best;
}

}  // namespace

std::vector<bool> dominated(const std::vector<TradeOff>& points) {
  std::vector<bool> result(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    result[i] = !is_real(points[i]) ||
                std::any_of(points.begin(), points.end(), [&](const TradeOff& other) {
                  return is_real(other) && beats(other, points[i]);
                });
  }
  return result;
}

double hypervolume(const std::vector<TradeOff>& points,
                   double largest_memory_mib,
                   double lowest_quality) {
  double area = 0;
  double reached = lowest_quality;
  for (const TradeOff& point : frontier_of(points)) {
    if (point.memory_mib >= largest_memory_mib || point.quality <= reached) continue;
    area += (point.quality - reached) * std::log10(largest_memory_mib / point.memory_mib);
    reached = point.quality;
  }
  return area;
}

Chart trade_off_chart(const std::vector<TradeOff>& points,
                      const std::optional<TradeOff>& full,
                      const ChartAxis& quality_axis) {
  Chart chart;
  chart.title = quality_axis.label + " against KV-cache memory";
  chart.x = {.label = "KV-cache memory",
             .unit = "MiB",
             .remark = "logarithmic",
             .scale = AxisScale::kLogarithmic,
             .minimum = {},
             .maximum = {}};
  chart.y = quality_axis;
  const std::vector<bool> is_dominated = dominated(points);
  for (size_t i = 0; i < points.size(); ++i) {
    auto series =
        std::find_if(chart.series.begin(), chart.series.end(),
                     [&](const ChartSeries& one) { return one.name == points[i].policy; });
    if (series == chart.series.end()) {
      chart.series.push_back({.name = points[i].policy, .points = {}});
      series = std::prev(chart.series.end());
    }
    series->points.push_back({points[i].memory_mib, points[i].quality, points[i].quality_half_width,
                              is_dominated[i] ? "" : points[i].label, is_dominated[i]});
  }
  for (ChartSeries& series : chart.series) {
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
  }
  // Stairs: at each memory, the best quality that is to be had for it.
  const std::vector<TradeOff> best = frontier_of(points);
  for (size_t i = 0; i < best.size(); ++i) {
    if (i > 0) chart.frontier.push_back({best[i].memory_mib, best[i - 1].quality});
    chart.frontier.push_back({best[i].memory_mib, best[i].quality});
  }
  if (full) {
    chart.references.push_back(
        {full->memory_mib, fmt::format("full cache, {:.4g} MiB", full->memory_mib), true});
    if (std::isfinite(full->quality)) {
      chart.references.push_back(
          {full->quality,
           fmt::format("full cache, {:.3g}{}{}", full->quality,
                       quality_axis.unit.empty() ? "" : " ", quality_axis.unit),
           false});
    }
  }
  if (std::find(is_dominated.begin(), is_dominated.end(), true) != is_dominated.end()) {
    chart.note =
        "Band: the best quality to be had for the memory. Grey: another point is as good in both "
        "and "
        "better in one.";
  }
  return chart;
}

}  // namespace kvscope
