#include "analysis/metrics/ssim.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <vector>

#include "analysis/metrics/same_size.h"

namespace kvscope {
namespace {

constexpr int64_t kReach = 5;
constexpr double kSigma = 1.5;
constexpr double kC1 = (0.01 * 255) * (0.01 * 255);
constexpr double kC2 = (0.03 * 255) * (0.03 * 255);
constexpr size_t kChannels = 3;

using Plane = std::vector<double>;  // [height * width]
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

/// The plane under the Gaussian window: along the rows, then along the columns.
Plane smoothed(const Plane& plane, int64_t height, int64_t width, const Window& window) {
  Plane rows(plane.size());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      double sum = 0.0;
      for (int64_t i = -kReach; i <= kReach; ++i) {
        sum += window[i + kReach] * plane[y * width + reflected(x + i, width)];
      }
      rows[y * width + x] = sum;
    }
  }
  Plane both(plane.size());
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = -kReach; i <= kReach; ++i) {
      const double* row = &rows[reflected(y + i, height) * width];
      for (int64_t x = 0; x < width; ++x) both[y * width + x] += window[i + kReach] * row[x];
    }
  }
  return both;
}

Plane channel_of(const Picture& picture, size_t channel) {
  Plane plane(picture.rgb.size() / kChannels);
  for (size_t i = 0; i < plane.size(); ++i) plane[i] = picture.rgb[kChannels * i + channel];
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result(a.size());
  std::transform(a.begin(), a.end(), b.begin(), result.begin(), std::multiplies<>());
  return result;
}

double channel_sum(const Plane& a, const Plane& b, int64_t height, int64_t width) {
  const Window window = gaussian_window();
  const Plane mean_a = smoothed(a, height, width, window);
  const Plane mean_b = smoothed(b, height, width, window);
  const Plane square_a = smoothed(product(a, a), height, width, window);
  const Plane square_b = smoothed(product(b, b), height, width, window);
  const Plane cross = smoothed(product(a, b), height, width, window);
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double both = mean_a[i] * mean_b[i];
    const double variance_a = std::max(square_a[i] - mean_a[i] * mean_a[i], 0.0);
    const double variance_b = std::max(square_b[i] - mean_b[i] * mean_b[i], 0.0);
    const double luminance =
        (2 * both + kC1) / (mean_a[i] * mean_a[i] + mean_b[i] * mean_b[i] + kC1);
    sum += luminance * (2 * (cross[i] - both) + kC2) / (variance_a + variance_b + kC2);
  }
  return sum;
}

}  // namespace

double ssim(const Picture& a, const Picture& b) {
  require_same_size(a, b, "ssim", kReach + 1);
  double sum = 0.0;
  for (size_t channel = 0; channel < kChannels; ++channel) {
    sum += channel_sum(channel_of(a, channel), channel_of(b, channel), a.height, a.width);
  }
  return sum / static_cast<double>(a.rgb.size());
}

}  // namespace kvscope
