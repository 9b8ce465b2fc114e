#include "experiments/report/figures/label_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace kvscope {

std::vector<double> spread_positions(std::vector<double> wanted,
                                     double spacing,
                                     double low,
                                     double high) {
  std::vector<size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return wanted[a] < wanted[b]; });
  double floor = low;
  for (const size_t i : order) {
    wanted[i] = std::max(wanted[i], floor);
    floor = wanted[i] + spacing;
  }
  double ceiling = high;
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    wanted[*i] = std::min(wanted[*i], ceiling);
    ceiling = wanted[*i] - spacing;
  }
  return wanted;
}

bool LabelBox::overlaps(const LabelBox& other) const {
  return left < other.left + other.width && other.left < left + width &&
         top < other.top + other.height && other.top < top + height;
}

void LabelPlaces::take_segment(Position from, Position to) {
  constexpr double kStep = 4;
  const int steps = 1 + static_cast<int>(std::hypot(to.x - from.x, to.y - from.y) / kStep);
  for (int i = 0; i <= steps; ++i) {
    const double part = static_cast<double>(i) / steps;
    take({from.x + part * (to.x - from.x) - 1, from.y + part * (to.y - from.y) - 1, 2, 2});
  }
}

std::optional<LabelBox> LabelPlaces::place(Position point,
                                           double width,
                                           double height,
                                           double gap) {
  const double diagonal = gap * 0.7;  // curves mostly rise, so their upper left is free
  const std::array<LabelBox, 8> candidates{
      {{point.x - width / 2, point.y - gap - height, width, height},
       {point.x - width / 2, point.y + gap, width, height},
       {point.x - diagonal - width, point.y - diagonal - height, width, height},
       {point.x + diagonal, point.y + diagonal, width, height},
       {point.x + diagonal, point.y - diagonal - height, width, height},
       {point.x - diagonal - width, point.y + diagonal, width, height},
       {point.x + gap, point.y - height / 2, width, height},
       {point.x - gap - width, point.y - height / 2, width, height}}};
  return take_first(candidates);
}

std::optional<LabelBox> LabelPlaces::take_first(std::span<const LabelBox> candidates) {
  for (const LabelBox& box : candidates) {
    const bool inside = box.left >= area_.left && box.top >= area_.top &&
                        box.left + box.width <= area_.left + area_.width &&
                        box.top + box.height <= area_.top + area_.height;
    if (!inside) continue;
    if (std::any_of(taken_.begin(), taken_.end(),
                    [&](const LabelBox& other) { return box.overlaps(other); })) {
      continue;
    }
    take(box);
    return box;
  }
  return std::nullopt;
}

}  // namespace kvscope
