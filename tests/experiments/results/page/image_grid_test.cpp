#include "experiments/results/page/image_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/image/png.h"
#include "tests/experiments/results/sample_sweep.h"

namespace kvscope {
namespace {

Image decoded(const GridImage& image) {
  return decode_png(std::as_bytes(std::span(image.png.data(), image.png.size())), "grid").image;
}

TEST(ImageGrid, HoldsTheStoredFilesOfEveryPoint) {
  const std::filesystem::path folder = fresh_folder("sweep");
  write_sample_point(folder, sample_point("full", 1, 4), 0);
  const auto point = write_sample_point(folder, sample_point("h2o", 0.1, 4), 9);
  std::filesystem::remove(image_path(point, 1));
  const ImageGrid grid = image_grid(summarise_sweep(folder), {.prompts = 3});
  ASSERT_EQ(grid.rows.size(), 2u);
  EXPECT_EQ(grid.prompts.size(), 3u);
  EXPECT_EQ(decoded(grid.rows[0].images[2]), sample_image(0));
  EXPECT_EQ(decoded(grid.rows[1].images[0]), sample_image(9));
  EXPECT_TRUE(grid.rows[1].images[1].png.empty());
  EXPECT_EQ(grid.rows[1].reference, grid.rows[0].point);
  EXPECT_TRUE(grid.pixelated);
  EXPECT_EQ(grid.caption, "3 of 4 images of each point.");
}

TEST(ImageGrid, MakesImagesSmallerRatherThanThePageLarge) {
  const std::filesystem::path folder = fresh_folder("sweep");
  write_sample_point(folder, sample_point("full", 1, 4), 0);
  const ImageGrid grid = image_grid(summarise_sweep(folder), {.prompts = 2, .side_px = 8});
  EXPECT_EQ(decoded(grid.rows[0].images[0]).width, 8);
  EXPECT_THAT(grid.caption, testing::HasSubstr("squares of 2 x 2 pixels"));
  const ImageGrid fewer = image_grid(summarise_sweep(folder), {.prompts = 4, .bytes = 1200});
  EXPECT_EQ(fewer.prompts.size(), 2u);
}

TEST(ImageGrid, ReducedImagesAreMeansOfSquares) {
  Image image(5, 4);
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<uint8_t>(7 * i % 251);
  const Image small = reduced(image, 3);  // by two
  ASSERT_EQ(small.width, 2);
  ASSERT_EQ(small.height, 2);
  for (int64_t y = 0; y < 2; ++y) {
    for (int64_t x = 0; x < 2; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t sum = image.pixel(2 * y, 2 * x)[c] + image.pixel(2 * y, 2 * x + 1)[c] +
                            image.pixel(2 * y + 1, 2 * x)[c] + image.pixel(2 * y + 1, 2 * x + 1)[c];
        EXPECT_EQ(small.pixel(y, x)[c], (sum + 2) / 4);
      }
    }
  }
  EXPECT_EQ(reduced(image, 5), image);
}

}  // namespace
}  // namespace kvscope
