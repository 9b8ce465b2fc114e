#pragma once

#include <cstdint>
#include <vector>

#include "analysis/shapes/scene.h"

namespace kvscope::shapes {

/// How strongly each pixel of a window shows one colour, 0..1, row-major [height, width].
struct SoftMask {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<double> strength;
};

/// The overlap of a mask with `shape` placed so that area and centroid agree: sum of the smaller
/// over sum of the larger of strength and coverage (soft intersection over union), 0..1. Placing
/// by moments rather than by the bounding box lets a stray edge pixel change little; soft edges
/// keep a circle of 15 pixels apart from a square when a decoder has blurred both.
double soft_overlap(const SoftMask& mask, Shape shape);

}  // namespace kvscope::shapes
