#include "core/image/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace kvscope {
namespace {

Image gradient(int64_t height, int64_t width) {
  Image image(height, width);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      image.pixel(y, x)[0] = static_cast<uint8_t>((37 * y + 11 * x) % 256);
      image.pixel(y, x)[1] = static_cast<uint8_t>(x % 2 == 0 ? 255 : 0);
      image.pixel(y, x)[2] = static_cast<uint8_t>(y * y % 256);
    }
  }
  return image;
}

double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
  return x < 2 ? -0.5 * (x * x * x - 5 * x * x + 8 * x - 4) : 0;
}

/// One value of a line resized by bicubic with antialiasing, straight from the definition.
double resampled(const std::vector<double>& line, int64_t out, int64_t at) {
  const auto in = static_cast<double>(line.size());
  const double scale = in / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double centre = (static_cast<double>(at) + 0.5) * scale;
  double sum = 0;
  double weights = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const double distance = (static_cast<double>(i) + 0.5 - centre) / stretch;
    sum += line[i] * cubic(distance);
    weights += cubic(distance);
  }
  return sum / weights;
}

TEST(ResizePlane, IsTheDefinitionOnBothAxes) {
  for (const auto& [height, width] : {std::pair{5, 31}, std::pair{23, 9}, std::pair{12, 17}}) {
    const int64_t from_height = 12;
    const int64_t from_width = 17;
    std::vector<float> plane;
    for (int64_t i = 0; i < from_height * from_width; ++i) {
      plane.push_back(static_cast<float>(i * i % 251));
    }
    const std::vector<float> resized =
        resize_plane(plane, from_height, from_width, height, width, ResizeFilter::kBicubic);
    ASSERT_EQ(std::ssize(resized), int64_t{height} * width);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        std::vector<double> column;
        for (int64_t row = 0; row < from_height; ++row) {
          const auto begin = plane.begin() + row * from_width;
          column.push_back(resampled({begin, begin + from_width}, width, x));
        }
        EXPECT_NEAR(resized[y * width + x], resampled(column, height, y), 1e-3) << y << ' ' << x;
      }
    }
  }
}

/// Without values near 0 or 255, beyond which bytes are cut off between the passes, too.
Image smooth(int64_t height, int64_t width) {
  Image image(height, width);
  for (int64_t i = 0; i < height * width; ++i) {
    const auto y = static_cast<double>(i / width);
    const auto x = static_cast<double>(i % width);
    for (int64_t channel = 0; channel < 3; ++channel) {
      const auto phase = static_cast<double>(channel);
      const double level = 128 + 50 * std::sin(x / 5 + phase) + 40 * std::cos(y / 4 - phase);
      image.rgb[3 * i + channel] = static_cast<uint8_t>(level);
    }
  }
  return image;
}

TEST(ResizeImage, IsThePlaneOfFloatsRoundedTwice) {
  const Image image = smooth(30, 44);
  for (const ResizeFilter filter : {ResizeFilter::kBicubic, ResizeFilter::kLanczos}) {
    const Image resized = resize_image(image, 17, 61, filter);
    for (int64_t channel = 0; channel < 3; ++channel) {
      std::vector<float> plane;
      for (int64_t i = 0; i < image.height * image.width; ++i) {
        plane.push_back(image.rgb[3 * i + channel]);
      }
      const std::vector<float> floats = resize_plane(plane, 30, 44, 17, 61, filter);
      for (int64_t i = 0; i < resized.height * resized.width; ++i) {
        EXPECT_NEAR(resized.rgb[3 * i + channel], floats[i], 1.25F);
      }
    }
  }
  EXPECT_EQ(resize_image(image, 30, 44, ResizeFilter::kBicubic), image);
}

TEST(ResizeImage, RefusesWhatHasNoPixels) {
  EXPECT_THROW(resize_image(Image(), 4, 4, ResizeFilter::kBicubic), Error);
  EXPECT_THROW(resize_image(gradient(4, 4), 0, 4, ResizeFilter::kBicubic), Error);
}

TEST(Cropped, IsThePartAndLeavesNoImage) {
  const Image image = gradient(6, 8);
  const Image part = cropped(image, 2, 3, 4, 5);
  EXPECT_EQ(part.height, 4);
  for (int64_t channel = 0; channel < 3; ++channel) {
    EXPECT_EQ(part.pixel(0, 0)[channel], image.pixel(2, 3)[channel]);
    EXPECT_EQ(part.pixel(3, 4)[channel], image.pixel(5, 7)[channel]);
  }
  EXPECT_THROW(cropped(image, 3, 3, 4, 5), Error);
  EXPECT_THROW(cropped(image, -1, 0, 2, 2), Error);
}

}  // namespace
}  // namespace kvscope
