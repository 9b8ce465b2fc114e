#include "analysis/shapes/pixel_labels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/shapes/scene.h"

namespace kvscope::shapes {
namespace {

constexpr double kSmallestCosine = 0.9;
constexpr double kSmallestStrength = 0.5;
constexpr int kAgreeingNeighbours = 6;

using Vector = std::array<double, 3>;

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector from_background(double red, double green, double blue) {
  return {red - kBackground.red, green - kBackground.green, blue - kBackground.blue};
}

Vector direction(int8_t label) {
  const Rgb colour = paint(kColours[static_cast<size_t>(label)]);
  return from_background(colour.red, colour.green, colour.blue);
}

int8_t label_of(const Vector& pixel, const std::array<Vector, kColours.size()>& palette) {
  const double length = std::sqrt(dot(pixel, pixel));
  int8_t best = kNoColour;
  double best_cosine = kSmallestCosine;
  for (size_t i = 0; i < palette.size(); ++i) {
    const double paint_squared = dot(palette[i], palette[i]);
    const double along = dot(pixel, palette[i]);
    if (along < kSmallestStrength * paint_squared) continue;
    const double cosine = along / (length * std::sqrt(paint_squared));
    if (cosine > best_cosine) {
      best_cosine = cosine;
      best = static_cast<int8_t>(i);
    }
  }
  return best;
}

}  // namespace

double strength(const uint8_t* rgb, int8_t label) {
  const Vector paint_direction = direction(label);
  const double along = dot(from_background(rgb[0], rgb[1], rgb[2]), paint_direction);
  return std::clamp(along / dot(paint_direction, paint_direction), 0.0, 1.0);
}

std::vector<int8_t> label_pixels(const Image& image) {
  std::array<Vector, kColours.size()> palette;
  for (size_t i = 0; i < palette.size(); ++i) {
    palette[i] = direction(static_cast<int8_t>(i));
  }
  std::vector<int8_t> labels(image.rgb.size() / 3);
  for (size_t i = 0; i < labels.size(); ++i) {
    const uint8_t* rgb = &image.rgb[3 * i];
    labels[i] = label_of(from_background(rgb[0], rgb[1], rgb[2]), palette);
  }
  return labels;
}

std::vector<int8_t> without_lone_pixels(const std::vector<int8_t>& labels,
                                        int64_t height,
                                        int64_t width) {
  std::vector<int8_t> joined = labels;
  for (int64_t y = 1; y + 1 < height; ++y) {
    for (int64_t x = 1; x + 1 < width; ++x) {
      std::array<int, kColours.size() + 1> votes{};
      for (int64_t row = y - 1; row <= y + 1; ++row) {
        for (int64_t column = x - 1; column <= x + 1; ++column) {
          if (row == y && column == x) continue;
          ++votes[static_cast<size_t>(labels[row * width + column] + 1)];
        }
      }
      for (size_t i = 0; i < votes.size(); ++i) {
        if (votes[i] >= kAgreeingNeighbours) {
          joined[y * width + x] = static_cast<int8_t>(static_cast<int>(i) - 1);
        }
      }
    }
  }
  return joined;
}

}  // namespace kvscope::shapes
