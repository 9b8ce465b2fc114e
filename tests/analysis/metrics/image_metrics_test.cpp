#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>

#include "analysis/metrics/psnr.h"
#include "analysis/metrics/ssim.h"
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "test_paths.h"

namespace kvscope {
namespace {

Image image_of(const at::Tensor& tensor) {
  const at::Tensor pixels = tensor.contiguous();
  Image image(pixels.size(0), pixels.size(1));
  std::memcpy(image.rgb.data(), pixels.data_ptr<uint8_t>(), image.rgb.size());
  return image;
}

/// Pairs of images with the values of scikit-image and torchmetrics.
class ImageMetrics : public ::testing::Test {
 protected:
  ImageMetrics()
      : golden_(std::filesystem::path(kSourceDir) / "tests/golden/metrics_pairs.safetensors") {}

  [[nodiscard]] std::vector<double> values(const std::string& name) const {
    const at::Tensor tensor = golden_.tensor(name).contiguous();
    return {tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel()};
  }
  [[nodiscard]] Image image(size_t pair, const char* side) const {
    return image_of(golden_.tensor("pair." + std::to_string(pair) + "." + side));
  }

  SafetensorsReader golden_;
};

TEST_F(ImageMetrics, PsnrIsThatOfScikitImage) {
  const std::vector<double> errors = values("mse");
  const std::vector<double> expected = values("psnr.skimage");
  ASSERT_GE(expected.size(), 8U);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_DOUBLE_EQ(mean_squared_error(image(i, "a"), image(i, "b")), errors[i]);
    EXPECT_DOUBLE_EQ(psnr_decibels(image(i, "a"), image(i, "b")), expected[i]);
  }
}

TEST_F(ImageMetrics, SsimIsThatOfTorchmetrics) {
  const std::vector<double> expected = values("ssim.torchmetrics_255_f64");
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(ssim(image(i, "a"), image(i, "b")), expected[i], 1e-10) << "pair " << i;
    EXPECT_NEAR(ssim(image(i, "b"), image(i, "a")), expected[i], 1e-10) << "pair " << i;
  }
}

TEST(ImageMetricsEdges, IdenticalImagesAndTheSmallestOnes) {
  Image tiny(6, 7);
  for (size_t i = 0; i < tiny.rgb.size(); ++i) tiny.rgb[i] = static_cast<uint8_t>(37 * i);
  EXPECT_TRUE(std::isinf(psnr_decibels(tiny, tiny)));
  EXPECT_DOUBLE_EQ(ssim(tiny, tiny), 1.0);
  Image black(1, 1);
  Image white(1, 1);
  white.rgb = {255, 255, 255};
  EXPECT_DOUBLE_EQ(psnr_decibels(black, white), 0.0);
}

TEST(ImageMetricsEdges, RefuseWhatCannotBeCompared) {
  EXPECT_THROW(psnr_decibels(Image(8, 9), Image(9, 8)), Error);
  EXPECT_THROW(psnr_decibels(Image(0, 0), Image(0, 0)), Error);
  EXPECT_THROW(ssim(Image(5, 64), Image(5, 64)), Error);
  try {
    ssim(Image(8, 9), Image(9, 8));
    FAIL() << "images of unlike size were compared";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("8 x 9 and 9 x 8"));
  }
}

}  // namespace
}  // namespace kvscope
