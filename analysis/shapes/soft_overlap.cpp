#include "analysis/shapes/soft_overlap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace kvscope::shapes {
namespace {

constexpr double kCrossArm = 3.0 / 8.0;

/// What part of its bounding box a shape covers.
double fill_of(Shape shape) {
  switch (shape) {
    case Shape::kCircle:
      return std::numbers::pi / 4;
    case Shape::kSquare:
      return 1.0;
    case Shape::kTriangle:
      return 0.5;
    case Shape::kCross:
      return 2 * kCrossArm - kCrossArm * kCrossArm;
  }
  return 1.0;
}

/// Whether (u, v), in sides of the box from its centre, lies in the shape; v points down.
bool covers(Shape shape, double u, double v) {
  if (std::abs(u) > 0.5 || std::abs(v) > 0.5) return false;
  switch (shape) {
    case Shape::kCircle:
      return u * u + v * v <= 0.25;
    case Shape::kSquare:
      return true;
    case Shape::kTriangle:
      return 2 * std::abs(u) <= v + 0.5;
    case Shape::kCross:
      return 2 * std::abs(u) <= kCrossArm || 2 * std::abs(v) <= kCrossArm;
  }
  return false;
}

struct Placement {
  double centre_x = 0.0;  // of the box, in pixels; pixel x spans x..x + 1
  double centre_y = 0.0;
  double side = 0.0;
};

double coverage(Shape shape, const Placement& at, int64_t x, int64_t y) {
  constexpr std::array kSamples = {0.125, 0.375, 0.625, 0.875};
  int covered = 0;
  for (const double row : kSamples) {
    for (const double column : kSamples) {
      const double u = (static_cast<double>(x) + column - at.centre_x) / at.side;
      const double v = (static_cast<double>(y) + row - at.centre_y) / at.side;
      covered += covers(shape, u, v) ? 1 : 0;
    }
  }
  return covered / 16.0;
}

Placement place_by_moments(const SoftMask& mask, Shape shape) {
  double area = 0.0;
  double sum_x = 0.0;
  double sum_y = 0.0;
  for (int64_t y = 0; y < mask.height; ++y) {
    for (int64_t x = 0; x < mask.width; ++x) {
      const double weight = mask.strength[y * mask.width + x];
      area += weight;
      sum_x += weight * (static_cast<double>(x) + 0.5);
      sum_y += weight * (static_cast<double>(y) + 0.5);
    }
  }
  if (area <= 0.0) return {};
  Placement at{sum_x / area, sum_y / area, std::sqrt(area / fill_of(shape))};
  // A triangle's centroid lies a sixth of its height below the middle of its box.
  if (shape == Shape::kTriangle) at.centre_y -= at.side / 6;
  return at;
}

}  // namespace

double soft_overlap(const SoftMask& mask, Shape shape) {
  const Placement at = place_by_moments(mask, shape);
  if (at.side <= 0.0) return 0.0;
  double smaller = 0.0;
  double mask_area = 0.0;
  for (int64_t y = 0; y < mask.height; ++y) {
    for (int64_t x = 0; x < mask.width; ++x) {
      const double weight = mask.strength[y * mask.width + x];
      mask_area += weight;
      smaller += std::min(weight, coverage(shape, at, x, y));
    }
  }
  // The areas agree by placement, so the union is twice one of them less what they share; this way
  // what the shape covers beyond the window counts against it too.
  return smaller / (2 * mask_area - smaller);
}

}  // namespace kvscope::shapes
