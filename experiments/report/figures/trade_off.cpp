#include "experiments/report/figures/trade_off.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "analysis/statistics/pareto.h"
#include "core/base/error.h"
#include "experiments/report/drawing/colours.h"

namespace kvscope {
namespace {

std::vector<CostQuality> cost_quality(const std::vector<TradeOff>& points) {
  std::vector<CostQuality> result;
  result.reserve(points.size());
  for (const TradeOff& point : points) result.push_back({point.memory_mib, point.quality});
  return result;
}

/// The points so that higher is better; the same again turns them back.
std::vector<TradeOff> turned(std::vector<TradeOff> points, bool higher_is_better) {
  if (!higher_is_better) {
    for (TradeOff& point : points) point.quality = -point.quality;
  }
  return points;
}

std::vector<std::string> policies_of(const std::vector<TradeOff>& points) {
  std::vector<std::string> names;
  for (const TradeOff& point : points) {
    if (std::ranges::find(names, point.policy) == names.end()) names.push_back(point.policy);
  }
  return names;
}

/// The `count` policies whose own points have the largest hypervolume, the largest first.
std::vector<std::string> strongest(const std::vector<TradeOff>& points, size_t count) {
  CostQuality corner = worst_corner(cost_quality(points));
  corner.cost *= 3.2;  // half a decade beyond the largest memory, so that its points count, too
  std::vector<std::pair<double, std::string>> ranked;
  for (const std::string& policy : policies_of(points)) {
    std::vector<TradeOff> own;
    std::ranges::copy_if(points, std::back_inserter(own),
                         [&](const TradeOff& point) { return point.policy == policy; });
    ranked.emplace_back(hypervolume(cost_quality(own), corner), policy);
  }
  std::ranges::stable_sort(ranked, std::ranges::greater{}, &std::pair<double, std::string>::first);
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(count, ranked.size()); ++i) names.push_back(ranked[i].second);
  return names;
}

/// Gives the highlighted series the colours, in that order; the others stand back. Returns how the
/// note names these.
std::string highlight(Chart& chart, const std::vector<std::string>& highlighted) {
  const auto place = [&](const ChartSeries& series) {
    return std::ranges::find(highlighted, series.name) - highlighted.begin();
  };
  std::ranges::stable_sort(chart.series, std::ranges::less{}, place);
  constexpr size_t kNamed = 4;  // a note has one line
  std::vector<std::string> others;
  for (ChartSeries& series : chart.series) {
    series.context = place(series) == std::ssize(highlighted);
    if (series.context) others.push_back(series.name);
    for (ChartPoint& point : series.points) {
      if (series.context) point.label.clear();
    }
  }
  return others.size() > kNamed ? fmt::format("{} other policies", others.size())
                                : fmt::format("{}", fmt::join(others, ", "));
}

}  // namespace

Chart trade_off_chart(const std::vector<TradeOff>& points,
                      const std::optional<TradeOff>& full,
                      const ChartAxis& quality_axis,
                      const std::vector<std::string>& highlighted,
                      bool higher_is_better) {
  const std::vector<TradeOff> upright = turned(points, higher_is_better);
  Chart chart;
  chart.title = quality_axis.label + " against KV-cache memory";
  chart.x = {.label = "Peak KV-cache memory per image",
             .unit = "MiB",
             .remark = "logarithmic",
             .scale = AxisScale::kLogarithmic,
             .minimum = {},
             .maximum = {}};
  chart.y = quality_axis;
  for (size_t i = 0; i < points.size(); ++i) {
    auto series =
        std::find_if(chart.series.begin(), chart.series.end(),
                     [&](const ChartSeries& one) { return one.name == points[i].policy; });
    if (series == chart.series.end()) {
      chart.series.push_back({.name = points[i].policy, .points = {}});
      series = std::prev(chart.series.end());
    }
    series->points.push_back({.x = points[i].memory_mib,
                              .y = points[i].quality,
                              .y_low = points[i].quality_low,
                              .y_high = points[i].quality_high,
                              .label = points[i].label});
  }
  for (ChartSeries& series : chart.series) {
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
  }
  // Stairs: at each memory, the best quality that is to be had for it.
  std::vector<TradeOff> best;
  for (const size_t i : pareto_front(cost_quality(upright))) best.push_back(points[i]);
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
  const std::vector<std::string> policies = policies_of(points);
  for (const std::string& name : highlighted) {
    if (std::ranges::find(policies, name) != policies.end()) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("no policy '{}' to highlight. {}", name, suggestion(name, policies)));
  }
  std::vector<std::string> chosen = highlighted;
  if (chosen.empty() && policies.size() > series_colour_count()) {
    chosen = strongest(upright, series_colour_count());
  }
  if (!chosen.empty()) {
    const std::string others = highlight(chart, chosen);
    if (best.size() > 1) chart.note = "Band: the best quality to be had for the memory.";
    if (!others.empty()) {
      chart.note += (chart.note.empty() ? "Thin and grey: " : " Thin and grey: ") + others + ".";
    }
  } else if (best.size() > 1 && best.front().memory_mib < best.back().memory_mib) {
    chart.note = "Band: the best quality to be had for the memory.";
  }
  chart.dodge = true;
  return chart;
}

}  // namespace kvscope
