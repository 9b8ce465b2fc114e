#pragma once

#include <optional>
#include <span>
#include <vector>

#include "experiments/report/drawing/canvas.h"

namespace kvscope {

/// Moves `wanted` positions apart so that neighbours differ by at least `spacing` and all lie
/// within [low, high], keeping their order; as near to the wish as a forward and a backward pass
/// get. Requires wanted.size() * spacing <= high - low + spacing.
std::vector<double> spread_positions(std::vector<double> wanted,
                                     double spacing,
                                     double low,
                                     double high);

struct LabelBox {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  [[nodiscard]] bool overlaps(const LabelBox& other) const;
};

/// Remembers what is taken and finds a free place for a label near a point.
class LabelPlaces {
 public:
  explicit LabelPlaces(const LabelBox& area) : area_(area) {}
  void take(const LabelBox& box) { taken_.push_back(box); }
  /// Takes what a thin line covers.
  void take_segment(Position from, Position to);
  /// The first of these boxes that is free and inside the area; taken if found.
  std::optional<LabelBox> take_first(std::span<const LabelBox> candidates);
  /// A free box of this size above, below, diagonally or beside `point`, inside the area; taken if
  /// found.
  std::optional<LabelBox> place(Position point, double width, double height, double gap);

 private:
  LabelBox area_;
  std::vector<LabelBox> taken_;
};

}  // namespace kvscope
