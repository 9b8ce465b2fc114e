#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/metrics/metric_inputs.h"
#include "analysis/metrics/registry.h"
#include "test_paths.h"

namespace kvscope {
namespace {

/// The images of tests/golden/ms_ssim.py.
Image formula_image(int64_t height, int64_t width) {
  Image image(height, width);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        image.pixel(y, x)[c] =
            static_cast<uint8_t>((x * x * (c + 1) / 16 + 3 * y * x / 8 + 7 * y) % 256);
      }
    }
  }
  return image;
}

Image other_image(const Image& image, int64_t strength) {
  Image other = image;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t shift = (x * 37 + y * 91 + c * 53) % (strength + 1) - strength / 2;
        other.pixel(y, x)[c] =
            static_cast<uint8_t>(std::clamp<int64_t>(image.pixel(y, x)[c] + shift, 0, 255));
      }
    }
  }
  return other;
}

double ms_ssim(const Image& image, const Image& reference) {
  return metric_named("ms_ssim").make(MetricInputs())({.image = image, .reference = &reference});
}

TEST(MsSsim, IsThatOfTorchmetrics) {
  std::ifstream stream(std::filesystem::path(kSourceDir) / "tests/golden/ms_ssim.json");
  const auto golden = nlohmann::json::parse(stream);
  ASSERT_GE(golden.at("cases").size(), 4u);
  for (const auto& one : golden.at("cases")) {
    const Image a = formula_image(one.at("height"), one.at("width"));
    const Image b = other_image(a, one.at("strength"));
    // The library keeps its exponents in float, whatever the type of the images.
    EXPECT_NEAR(ms_ssim(b, a), one.at("ms_ssim").get<double>(), 1e-8) << one;
  }
}

TEST(MsSsim, IsNotDefinedWhereTheFifthScaleIsSmallerThanTheWindow) {
  const Image large = formula_image(176, 200);
  EXPECT_NEAR(ms_ssim(large, large), 1, 1e-12);
  for (const auto& [height, width] : {std::pair{175, 200}, {200, 175}, {64, 64}, {1, 1}}) {
    const Image small = formula_image(height, width);
    EXPECT_TRUE(std::isnan(ms_ssim(small, small))) << height << " x " << width;
  }
  EXPECT_FALSE(metric_named("ms_ssim").undefined.empty());
}

}  // namespace
}  // namespace kvscope
