#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kvscope {

/// What something costs, of which less is better, and how good it is, of which more is.
struct CostQuality {
  double cost = 0;
  double quality = 0;
};

/// True where another point costs no more, is no worse, and is better in one of the two. A point
/// with a NaN is dominated and dominates nothing. n log n.
std::vector<bool> dominated(std::span<const CostQuality> points);

/// The points that nothing dominates, of finite quality and positive cost, from the cheapest: their
/// quality rises too. Of equal points all are there.
std::vector<size_t> pareto_front(std::span<const CostQuality> points);

/// Area of (log10 cost, quality) that the points dominate within the corner `reference` (Zitzler &
/// Thiele, 1998): one number to compare whole curves, in decades of cost times the unit of quality.
/// Points that cost as much as the corner, or are no better, add nothing; 0 without finite points.
double hypervolume(std::span<const CostQuality> points, CostQuality reference);

/// The corner of the largest cost and the lowest quality among points without NaN or infinity;
/// NaN in both without any.
CostQuality worst_corner(std::span<const CostQuality> points);

}  // namespace kvscope
