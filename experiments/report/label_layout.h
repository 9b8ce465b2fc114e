#pragma once

#include <optional>
#include <vector>

#include "experiments/report/canvas.h"

namespace kvscope {

/// Moves `wanted` positions apart so that neighbours differ by at least `spacing` and all lie
/// within [low, high], keeping their order; as near to the wish as a forward and a backward pass
/// get. Requires wanted.size() * spacing <= high - low + spacing.
std::vector<double> spread_positions(std::vector<double> wanted,
                                     double spacing,
                                     double low,
                                     double high);

struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  [[nodiscard]] bool overlaps(const Box& other) const;
};

/// Remembers what is taken and finds a free place for a label near a point.
class LabelPlaces {
 public:
  explicit LabelPlaces(const Box& area) : area_(area) {}
  void take(const Box& box) { taken_.push_back(box); }
  /// Takes what a thin line covers.
  void take_segment(Point from, Point to);
  /// A free box of this size above, below, diagonally or beside `point`, inside the area; taken if
  /// found.
  std::optional<Box> place(Point point, double width, double height, double gap);

 private:
  Box area_;
  std::vector<Box> taken_;
};

}  // namespace kvscope
