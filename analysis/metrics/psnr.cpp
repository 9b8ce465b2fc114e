#include "analysis/metrics/psnr.h"

#include <cmath>
#include <limits>

#include "analysis/metrics/metric.h"
#include "analysis/metrics/same_size.h"

namespace kvscope {

double mean_squared_error(const Image& a, const Image& b) {
  require_same_size(a, b, "mean squared error", 1);
  int64_t sum = 0;  // of at most 255^2 each: exact
  for (size_t i = 0; i < a.rgb.size(); ++i) {
    const int64_t difference = int64_t{a.rgb[i]} - int64_t{b.rgb[i]};
    sum += difference * difference;
  }
  return static_cast<double>(sum) / static_cast<double>(a.rgb.size());
}

double psnr_decibels(const Image& a, const Image& b) {
  const double error = mean_squared_error(a, b);
  if (error == 0.0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(255.0 * 255.0 / error);
}

Metric metric_psnr() {
  return {.name = "psnr",
          .label = "PSNR",
          .title = "PSNR to the full cache",
          .unit = "dB",
          .note = "mean over images that differ from the full-cache image of the same seed",
          .scope = MetricScope::kPair,
          .lowest = 0,
          .decimals = 2,
          .decimals_by_budget = 1,
          .beside_images = "{:.1f} dB",
          .standard = true,
          .left_out = "identical images",
          .all_left_out = "identical",
          .summarise = summarise_finite_mean,
          .make = [](const MetricInputs& /*none*/) {
            return MeasureImage([](const MeasuredImage& pair) {
              return psnr_decibels(*pair.reference, pair.image);
            });
          }};
}

}  // namespace kvscope
