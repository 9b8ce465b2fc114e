#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/metrics/metric.h"
#include "analysis/metrics/same_size.h"
#include "analysis/metrics/similarity_map.h"

namespace kvscope {
namespace {

/// Exponents of the scales, the finest first (Wang, Simoncelli and Bovik 2003).
constexpr std::array kBetas = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

/// The window, 2 * kSimilarityReach + 1 pixels, has to fit the coarsest of the five scales.
constexpr int64_t kSmallestSide = (2 * kSimilarityReach + 1) << (kBetas.size() - 1);

/// Means of 2 x 2 pixels; a last odd line or column is left out.
Plane halved(const Plane& plane) {
  Plane half{plane.height / 2, plane.width / 2, {}};
  half.values.reserve(static_cast<size_t>(half.height * half.width));
  for (int64_t y = 0; y < half.height; ++y) {
    const double* above = &plane.values[2 * y * plane.width];
    const double* below = above + plane.width;
    for (int64_t x = 0; x < half.width; ++x) {
      half.values.push_back((above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1]) /
                            4);
    }
  }
  return half;
}

/// Multi-scale structural similarity as torchmetrics computes it on 0..255: the product over five
/// scales, each half as large as the one before, of max(mean, 0)^beta; of the contrast term, its
/// map cut by 5 pixels, on the first four, of SSIM over its whole map on the last. NaN below 176
/// pixels, where the fifth scale is smaller than the window: fewer scales would be another number.
double ms_ssim(const Image& a, const Image& b) {
  require_same_size(a, b, "ms_ssim", 1);
  if (std::min(a.height, a.width) < kSmallestSide) return std::numeric_limits<double>::quiet_NaN();
  constexpr int64_t kChannels = 3;
  std::array<Plane, kChannels> planes_a;
  std::array<Plane, kChannels> planes_b;
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    planes_a[channel] = channel_plane(a, channel);
    planes_b[channel] = channel_plane(b, channel);
  }
  double product = 1;
  for (size_t scale = 0; scale < kBetas.size(); ++scale) {
    const int64_t height = planes_a[0].height;
    const int64_t width = planes_a[0].width;
    SimilaritySums sums;
    for (int64_t channel = 0; channel < kChannels; ++channel) {
      const SimilaritySums own = similarity_sums(planes_a[channel], planes_b[channel]);
      sums.similarity += own.similarity;
      sums.inner_contrast += own.inner_contrast;
      planes_a[channel] = halved(planes_a[channel]);
      planes_b[channel] = halved(planes_b[channel]);
    }
    constexpr int64_t kCut = 2 * kSimilarityReach;
    const bool last = scale + 1 == kBetas.size();
    const double mean = last
                            ? sums.similarity / static_cast<double>(kChannels * height * width)
                            : sums.inner_contrast /
                                  static_cast<double>(kChannels * (height - kCut) * (width - kCut));
    product *= std::pow(std::max(mean, 0.0), kBetas[scale]);
  }
  return product;
}

}  // namespace

Metric metric_ms_ssim() {
  return {.name = "ms_ssim",
          .label = "MS-SSIM",
          .title = "MS-SSIM to the full cache",
          .note =
              "five scales, betas 0.0448 0.2856 0.3001 0.2363 0.1333, gaussian 11x11 sigma "
              "1.5, data range 255 (torchmetrics); not defined below 176 pixels a side",
          .scope = MetricScope::kPair,
          .lowest = 0,
          .highest = 1,
          .undefined = "images below 176 pixels a side have no five scales",
          .summarise = summarise_mean,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage(
                [](const MeasuredImage& pair) { return ms_ssim(*pair.reference, pair.image); });
          }};
}

}  // namespace kvscope
