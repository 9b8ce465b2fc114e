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

Picture picture_of(const at::Tensor& tensor) {
  const at::Tensor pixels = tensor.contiguous();
  Picture picture(pixels.size(0), pixels.size(1));
  std::memcpy(picture.rgb.data(), pixels.data_ptr<uint8_t>(), picture.rgb.size());
  return picture;
}

/// Pairs of pictures with the values of scikit-image and torchmetrics.
class PictureMetrics : public ::testing::Test {
 protected:
  PictureMetrics()
      : golden_(std::filesystem::path(kSourceDir) / "tests/golden/metrics_pairs.safetensors") {}

  [[nodiscard]] std::vector<double> values(const std::string& name) const {
    const at::Tensor tensor = golden_.tensor(name).contiguous();
    return {tensor.data_ptr<double>(), tensor.data_ptr<double>() + tensor.numel()};
  }
  [[nodiscard]] Picture picture(size_t pair, const char* side) const {
    return picture_of(golden_.tensor("pair." + std::to_string(pair) + "." + side));
  }

  SafetensorsReader golden_;
};

TEST_F(PictureMetrics, PsnrIsThatOfScikitImage) {
  const std::vector<double> errors = values("mse");
  const std::vector<double> expected = values("psnr.skimage");
  ASSERT_GE(expected.size(), 8U);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_DOUBLE_EQ(mean_squared_error(picture(i, "a"), picture(i, "b")), errors[i]);
    EXPECT_DOUBLE_EQ(psnr_decibels(picture(i, "a"), picture(i, "b")), expected[i]);
  }
}

TEST_F(PictureMetrics, SsimIsThatOfTorchmetrics) {
  const std::vector<double> expected = values("ssim.torchmetrics_255_f64");
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(ssim(picture(i, "a"), picture(i, "b")), expected[i], 1e-10) << "pair " << i;
    EXPECT_NEAR(ssim(picture(i, "b"), picture(i, "a")), expected[i], 1e-10) << "pair " << i;
  }
}

TEST(PictureMetricsEdges, IdenticalPicturesAndTheSmallestOnes) {
  Picture tiny(6, 7);
  for (size_t i = 0; i < tiny.rgb.size(); ++i) tiny.rgb[i] = static_cast<uint8_t>(37 * i);
  EXPECT_TRUE(std::isinf(psnr_decibels(tiny, tiny)));
  EXPECT_DOUBLE_EQ(ssim(tiny, tiny), 1.0);
  Picture black(1, 1);
  Picture white(1, 1);
  white.rgb = {255, 255, 255};
  EXPECT_DOUBLE_EQ(psnr_decibels(black, white), 0.0);
}

TEST(PictureMetricsEdges, RefuseWhatCannotBeCompared) {
  EXPECT_THROW(psnr_decibels(Picture(8, 9), Picture(9, 8)), Error);
  EXPECT_THROW(psnr_decibels(Picture(0, 0), Picture(0, 0)), Error);
  EXPECT_THROW(ssim(Picture(5, 64), Picture(5, 64)), Error);
  try {
    ssim(Picture(8, 9), Picture(9, 8));
    FAIL() << "pictures of unlike size were compared";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("8 x 9 and 9 x 8"));
  }
}

}  // namespace
}  // namespace kvscope
