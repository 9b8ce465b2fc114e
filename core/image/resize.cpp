#include "core/image/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// Which pixels make one output pixel, and how much each counts.
struct Window {
  int64_t first = 0;
  std::vector<double> weights{};  // their sum is 1
};

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) {
  return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

std::vector<Window> windows_of(int64_t in, int64_t out, ResizeFilter filter) {
  const bool is_cubic = filter == ResizeFilter::kBicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (is_cubic ? 2.0 : 3.0) * filter_scale;
  const double step = 1 / filter_scale;
  std::vector<Window> windows(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const auto end = std::min<int64_t>(in, static_cast<int64_t>(centre + support + 0.5));
    Window& window = windows[static_cast<size_t>(i)];
    window.first = first;
    double sum = 0;
    for (int64_t x = first; x < end; ++x) {
      const double at = (static_cast<double>(x) - centre + 0.5) * step;
      window.weights.push_back(is_cubic ? bicubic(at) : lanczos(at));
      sum += window.weights.back();
    }
    for (double& weight : window.weights) weight = sum == 0 ? weight : weight / sum;
  }
  return windows;
}

constexpr int kFractionBits = 22;

std::vector<std::vector<int32_t>> fixed_weights(const std::vector<Window>& windows) {
  std::vector<std::vector<int32_t>> fixed;
  fixed.reserve(windows.size());
  for (const Window& window : windows) {
    std::vector<int32_t>& weights = fixed.emplace_back();
    weights.reserve(window.weights.size());
    for (const double weight : window.weights) {
      const double scaled = weight * (1 << kFractionBits);
      weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return fixed;
}

uint8_t rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

/// Along one axis: `out` pixels of three channels each, `stride` apart in both images.
Image pass(const Image& image, int64_t out, ResizeFilter filter, bool is_horizontal) {
  const std::vector<Window> windows =
      windows_of(is_horizontal ? image.width : image.height, out, filter);
  const std::vector<std::vector<int32_t>> weights = fixed_weights(windows);
  Image result = is_horizontal ? Image(image.height, out) : Image(out, image.width);
  for (int64_t y = 0; y < result.height; ++y) {
    for (int64_t x = 0; x < result.width; ++x) {
      const auto at = static_cast<size_t>(is_horizontal ? x : y);
      const int64_t first = windows[at].first;
      const uint8_t* pixel = is_horizontal ? image.pixel(y, first) : image.pixel(first, x);
      const int64_t stride = is_horizontal ? 3 : 3 * image.width;
      for (int64_t channel = 0; channel < 3; ++channel) {
        int32_t sum = 1 << (kFractionBits - 1);
        for (size_t i = 0; i < weights[at].size(); ++i) {
          sum += pixel[static_cast<int64_t>(i) * stride + channel] * weights[at][i];
        }
        result.pixel(y, x)[channel] = rounded(sum);
      }
    }
  }
  return result;
}

void require_sizes(int64_t from_height, int64_t from_width, int64_t height, int64_t width) {
  if (from_height > 0 && from_width > 0 && height > 0 && width > 0) return;
  throw Error(ErrorKind::kInput, fmt::format("cannot resize {} x {} pixels to {} x {}", from_height,
                                             from_width, height, width));
}

}  // namespace

Image resize_image(const Image& image, int64_t height, int64_t width, ResizeFilter filter) {
  require_sizes(image.height, image.width, height, width);
  const Image wide = width == image.width ? image : pass(image, width, filter, true);
  return height == image.height ? wide : pass(wide, height, filter, false);
}

std::vector<float> resize_plane(std::span<const float> plane,
                                int64_t plane_height,
                                int64_t plane_width,
                                int64_t height,
                                int64_t width,
                                ResizeFilter filter) {
  require_sizes(plane_height, plane_width, height, width);
  std::vector<float> wide(plane.begin(), plane.end());
  if (width != plane_width) {
    const std::vector<Window> windows = windows_of(plane_width, width, filter);
    wide.resize(static_cast<size_t>(plane_height * width));
    for (int64_t y = 0; y < plane_height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const Window& window = windows[static_cast<size_t>(x)];
        const float* from = &plane[static_cast<size_t>(y * plane_width + window.first)];
        double sum = 0;
        for (size_t i = 0; i < window.weights.size(); ++i) sum += from[i] * window.weights[i];
        wide[static_cast<size_t>(y * width + x)] = static_cast<float>(sum);
      }
    }
  }
  if (height == plane_height) return wide;
  const std::vector<Window> windows = windows_of(plane_height, height, filter);
  std::vector<float> result(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y) {
    const Window& window = windows[static_cast<size_t>(y)];
    for (int64_t x = 0; x < width; ++x) {
      double sum = 0;
      for (size_t i = 0; i < window.weights.size(); ++i) {
        const int64_t row = window.first + static_cast<int64_t>(i);
        sum += wide[static_cast<size_t>(row * width + x)] * window.weights[i];
      }
      result[static_cast<size_t>(y * width + x)] = static_cast<float>(sum);
    }
  }
  return result;
}

Image cropped(const Image& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  const bool fits = top >= 0 && left >= 0 && height > 0 && width > 0 &&
                    top + height <= image.height && left + width <= image.width;
  if (!fits) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} x {} pixels from ({}, {}) on leave an image of {} x {}", height,
                            width, top, left, image.height, image.width));
  }
  Image result(height, width);
  for (int64_t y = 0; y < height; ++y) {
    std::copy_n(image.pixel(top + y, left), 3 * width, result.pixel(y, 0));
  }
  return result;
}

}  // namespace kvscope
