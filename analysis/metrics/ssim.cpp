#include "analysis/metrics/ssim.h"

#include "analysis/metrics/metric.h"
#include "analysis/metrics/same_size.h"
#include "analysis/metrics/similarity_map.h"

namespace kvscope {

double ssim(const Image& a, const Image& b) {
  require_same_size(a, b, "ssim", kSimilarityReach + 1);
  double sum = 0.0;
  for (int64_t channel = 0; channel < 3; ++channel) {
    sum += similarity_sums(channel_plane(a, channel), channel_plane(b, channel)).similarity;
  }
  return sum / static_cast<double>(a.rgb.size());
}

Metric metric_ssim() {
  return {.name = "ssim",
          .label = "SSIM",
          .title = "SSIM to the full cache",
          // Other variants differ by up to 0.05.
          .note =
              "gaussian 11x11 sigma 1.5, reflect padding, whole map, data range 255 "
              "(torchmetrics)",
          .scope = MetricScope::kPair,
          .lowest = -1,
          .highest = 1,
          .standard = true,
          .summarise = summarise_mean,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage(
                [](const MeasuredImage& pair) { return ssim(*pair.reference, pair.image); });
          }};
}

}  // namespace kvscope
