#pragma once

#include <cstdint>
#include <vector>

#include "core/base/image.h"

namespace kvscope::shapes {

inline constexpr int8_t kNoColour = -1;

/// Where a pixel lies between the background (0) and a paint (1), by projection; clamped to 0..1.
double strength(const uint8_t* rgb, int8_t label);

/// Each pixel's palette colour (an index into kColours) or kNoColour, [height * width]. A pixel is
/// background + strength * (paint - background) + error: its colour is the one whose direction
/// makes the smallest angle with the pixel, if the angle is below 26 degrees (white and grey are
/// no colour) and the strength at least one half (so an anti-aliased edge keeps its area).
std::vector<int8_t> label_pixels(const Image& image);

/// Gives a pixel the label of its neighbours where at least six of the eight agree on another one.
std::vector<int8_t> without_lone_pixels(const std::vector<int8_t>& labels,
                                        int64_t height,
                                        int64_t width);

}  // namespace kvscope::shapes
