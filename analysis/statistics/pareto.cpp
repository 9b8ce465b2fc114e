#include "analysis/statistics/pareto.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kvscope {
namespace {

bool is_real(const CostQuality& point) {
  return !std::isnan(point.cost) && !std::isnan(point.quality);
}

}  // namespace

std::vector<bool> dominated(std::span<const CostQuality> points) {
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return !is_real(points[i]); });
  std::ranges::sort(order, [&](size_t a, size_t b) {
    if (points[a].cost != points[b].cost) return points[a].cost < points[b].cost;
    return points[a].quality > points[b].quality;
  });
  std::vector<bool> result(points.size(), true);
  double cheaper_best = -std::numeric_limits<double>::infinity();
  bool any_cheaper = false;
  for (size_t begin = 0; begin < order.size();) {  // points of one cost at a time
    const CostQuality& best = points[order[begin]];
    const bool stands = !any_cheaper || best.quality > cheaper_best;
    size_t end = begin;
    for (; end < order.size() && points[order[end]].cost == best.cost; ++end) {
      result[order[end]] = !stands || points[order[end]].quality < best.quality;
    }
    cheaper_best = std::max(cheaper_best, best.quality);
    any_cheaper = true;
    begin = end;
  }
  return result;
}

std::vector<size_t> pareto_front(std::span<const CostQuality> points) {
  const std::vector<bool> is_dominated = dominated(points);
  std::vector<size_t> front;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!is_dominated[i] && std::isfinite(points[i].quality) && points[i].cost > 0) {
      front.push_back(i);
    }
  }
  std::ranges::stable_sort(front, {}, [&](size_t i) { return points[i].cost; });
  return front;
}

double hypervolume(std::span<const CostQuality> points, CostQuality reference) {
  double area = 0;
  double reached = reference.quality;
  for (const size_t i : pareto_front(points)) {
    const CostQuality& point = points[i];
    if (point.cost >= reference.cost || point.quality <= reached) continue;
    area += (point.quality - reached) * std::log10(reference.cost / point.cost);
    reached = point.quality;
  }
  return area;
}

CostQuality worst_corner(std::span<const CostQuality> points) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  CostQuality corner{kNone, kNone};
  for (const CostQuality& point : points) {
    if (!std::isfinite(point.cost) || !std::isfinite(point.quality)) continue;
    corner.cost = std::isnan(corner.cost) ? point.cost : std::max(corner.cost, point.cost);
    corner.quality =
        std::isnan(corner.quality) ? point.quality : std::min(corner.quality, point.quality);
  }
  return corner;
}

}  // namespace kvscope
