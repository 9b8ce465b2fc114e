#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "analysis/metrics/metric_inputs.h"
#include "analysis/metrics/psnr.h"
#include "analysis/metrics/registry.h"
#include "analysis/metrics/ssim.h"
#include "analysis/networks/image_input.h"
#include "experiments/verify/metrics/metric_groups.h"

namespace kvscope::verify {
namespace {

/// scikit-image's structural similarity: the map where the window fits, each channel's mean.
double similarity_where_it_fits(const RecordedPair& pair,
                                const at::Tensor& taps,
                                double covariance_factor) {
  const at::Tensor window = at::outer(taps, taps).view({1, 1, taps.numel(), taps.numel()});
  const auto planes = [](const Image& image) {
    return image_tensor(image, at::kDouble).transpose(0, 1);  // a channel a row
  };
  const auto mean = [&](const at::Tensor& x) { return at::conv2d(x, window); };
  const at::Tensor a = planes(pair.a);
  const at::Tensor b = planes(pair.b);
  const at::Tensor mean_a = mean(a);
  const at::Tensor mean_b = mean(b);
  const auto covariance = [&](const at::Tensor& x, const at::Tensor& y, const at::Tensor& means) {
    return (mean(x * y) - means) * covariance_factor;
  };
  const double c1 = std::pow(0.01 * 255, 2);
  const double c2 = std::pow(0.03 * 255, 2);
  const at::Tensor spread =
      covariance(a, a, mean_a * mean_a) + covariance(b, b, mean_b * mean_b) + c2;
  const at::Tensor shared = 2 * covariance(a, b, mean_a * mean_b) + c2;
  const at::Tensor level = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1);
  return (level * shared / spread).mean().item<double>();
}

at::Tensor gaussian_taps() {
  const at::Tensor taps = at::exp(-at::arange(-5, 6, at::kDouble).square() / (2 * 1.5 * 1.5));
  return taps / taps.sum();
}

}  // namespace

std::vector<GroupResult> check_pair_values(GoldenFile& file,
                                           const std::vector<RecordedPair>& pairs) {
  constexpr double kDoubles = 1e-9;
  const auto of_pairs = [&](GroupCheck& check, const char* name, const auto& value) {
    if (file.has(name)) compare_pairs(file, pairs, name, value, check);
  };
  const auto psnr = [](const RecordedPair& p) { return psnr_decibels(p.a, p.b); };
  const auto structural = [](const RecordedPair& p) { return ssim(p.a, p.b); };
  const MeasureImage ms_ssim = metric_named("ms_ssim").make(MetricInputs());
  const auto scales = [&](const RecordedPair& p) {
    return ms_ssim({.image = p.b, .reference = &p.a});
  };
  std::vector<GroupResult> results;
  GroupCheck exact("mse, psnr", kDoubles);
  of_pairs(exact, "mse", [](const RecordedPair& p) { return mean_squared_error(p.a, p.b); });
  of_pairs(exact, "psnr.skimage", psnr);
  results.push_back(exact.result());
  GroupCheck rounded("psnr in f32", kTolerance);
  of_pairs(rounded, "psnr.torchmetrics_255", psnr);
  of_pairs(rounded, "psnr.torchmetrics_1", psnr);
  results.push_back(rounded.result());
  GroupCheck similarity("ssim, ms-ssim", kDoubles);
  of_pairs(similarity, "ssim.torchmetrics_255_f64", structural);
  of_pairs(similarity, "ssim.torchmetrics_1_f64", structural);
  of_pairs(similarity, "msssim.torchmetrics_255_f64", scales);
  results.push_back(similarity.result("torchmetrics' variants"));
  GroupCheck floats("ssim, ms-ssim in f32", 2 * kTolerance);
  of_pairs(floats, "ssim.torchmetrics_255_f32", structural);
  of_pairs(floats, "msssim.torchmetrics_255_f32", scales);
  results.push_back(floats.result());
  GroupCheck scikit("ssim of scikit-image", kDoubles);
  constexpr double kBox = 7;
  const at::Tensor box = at::full({7}, 1 / kBox, at::kDouble);
  const at::Tensor gaussian = gaussian_taps();
  of_pairs(scikit, "ssim.skimage_gaussian",
           [&](const RecordedPair& p) { return similarity_where_it_fits(p, gaussian, 1); });
  of_pairs(scikit, "ssim.skimage_uniform7", [&](const RecordedPair& p) {
    return similarity_where_it_fits(p, box, kBox * kBox / (kBox * kBox - 1));
  });
  results.push_back(scikit.result());
  return results;
}

}  // namespace kvscope::verify
