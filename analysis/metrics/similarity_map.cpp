#include "analysis/metrics/similarity_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>

namespace kvscope {
namespace {

constexpr int64_t kReach = kSimilarityReach;
constexpr double kSigma = 1.5;
constexpr double kC1 = (0.01 * 255) * (0.01 * 255);
constexpr double kC2 = (0.03 * 255) * (0.03 * 255);
constexpr size_t kChannels = 3;

using Window = std::array<double, 2 * kReach + 1>;

Window gaussian_window() {
  Window window{};
  double sum = 0.0;
  for (int64_t i = -kReach; i <= kReach; ++i) {
    const double distance = static_cast<double>(i) / kSigma;
    window[i + kReach] = std::exp(-0.5 * distance * distance);
    sum += window[i + kReach];
  }
  for (double& weight : window) weight /= sum;
  return window;
}

/// Index into 0..size-1 with the border mirrored, the edge itself not repeated.
int64_t reflected(int64_t index, int64_t size) {
  index = std::abs(index);
  return index < size ? index : 2 * (size - 1) - index;
}

/// The plane's values under the Gaussian window: along the rows, then along the columns.
std::vector<double> smoothed(const std::vector<double>& values,
                             int64_t height,
                             int64_t width,
                             const Window& window) {
  std::vector<double> rows(values.size());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      double sum = 0.0;
      for (int64_t i = -kReach; i <= kReach; ++i) {
        sum += window[i + kReach] * values[y * width + reflected(x + i, width)];
      }
      rows[y * width + x] = sum;
    }
  }
  std::vector<double> both(values.size());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = -kReach; i <= kReach; ++i) {
      const double* row = &rows[reflected(y + i, height) * width];
      for (int64_t x = 0; x < width; ++x) both[y * width + x] += window[i + kReach] * row[x];
    }
  }
  return both;
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), std::multiplies<>());
  return result;
}

}  // namespace

Plane channel_plane(const Image& image, int64_t channel) {
  Plane plane{image.height, image.width, std::vector<double>(image.rgb.size() / kChannels)};
  for (size_t i = 0; i < plane.values.size(); ++i) {
    plane.values[i] = image.rgb[kChannels * i + static_cast<size_t>(channel)];
  }
  return plane;
}

SimilaritySums similarity_sums(const Plane& a, const Plane& b) {
  const Window window = gaussian_window();
  const auto smooth = [&](const std::vector<double>& values) {
    return smoothed(values, a.height, a.width, window);
  };
  const std::vector<double> mean_a = smooth(a.values);
  const std::vector<double> mean_b = smooth(b.values);
  const std::vector<double> square_a = smooth(product(a.values, a.values));
  const std::vector<double> square_b = smooth(product(b.values, b.values));
  const std::vector<double> cross = smooth(product(a.values, b.values));
  SimilaritySums sums;
  for (int64_t y = 0; y < a.height; ++y) {
    const bool inner_row = y >= kReach && y < a.height - kReach;
    for (int64_t x = 0; x < a.width; ++x) {
      const int64_t i = y * a.width + x;
      const double both = mean_a[i] * mean_b[i];
      const double variance_a = std::max(square_a[i] - mean_a[i] * mean_a[i], 0.0);
      const double variance_b = std::max(square_b[i] - mean_b[i] * mean_b[i], 0.0);
      const double luminance =
          (2 * both + kC1) / (mean_a[i] * mean_a[i] + mean_b[i] * mean_b[i] + kC1);
      const double covariance = 2 * (cross[i] - both) + kC2;
      const double variance = variance_a + variance_b + kC2;
      sums.similarity += luminance * covariance / variance;
      if (inner_row && x >= kReach && x < a.width - kReach) {
        sums.inner_contrast += covariance / variance;
      }
    }
  }
  return sums;
}

}  // namespace kvscope
