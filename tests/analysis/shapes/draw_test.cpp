#include "analysis/shapes/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "analysis/shapes/caption.h"

namespace kvscope::shapes {
namespace {

Rgb at(const Image& image, int64_t y, int64_t x) {
  const uint8_t* pixel = image.pixel(y, x);
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(Draw, PaintInsideBackgroundOutside) {
  const Image image = draw(parse_caption("a green circle"));
  EXPECT_EQ(image.height, kImageSize);
  EXPECT_EQ(image.width, kImageSize);
  EXPECT_EQ(at(image, 32, 32), paint(Colour::kGreen));
  EXPECT_EQ(at(image, 21, 21), kBackground) << "a corner of the disc's box";
  EXPECT_EQ(at(image, 0, 63), kBackground);
}

TEST(Draw, AreasAreThoseOfTheShapes) {
  const double kExpected[] = {std::numbers::pi / 4, 1.0, 0.5, 39.0 / 64.0};
  for (const Shape shape : kShapes) {
    for (const int64_t size : {15, 20, 25}) {
      SceneObject object;
      object.shape = shape;
      object.size = size;
      object.centre_x = object.centre_y = 32;
      int64_t sixteenths = 0;
      for (int64_t y = 0; y < 64; ++y) {
        for (int64_t x = 0; x < 64; ++x) sixteenths += coverage_sixteenths(object, x, y);
      }
      const double area = static_cast<double>(sixteenths) / 16.0;
      const double box = static_cast<double>(size * size);
      EXPECT_NEAR(area / box, kExpected[static_cast<size_t>(shape)], 0.04)
          << shape_name(shape) << " of " << size;
    }
  }
}

TEST(Draw, EdgesBlendByCoverage) {
  SceneObject object;
  object.shape = Shape::kSquare;
  object.size = 15;  // edges through the middle of pixels
  object.centre_x = object.centre_y = 32;
  EXPECT_EQ(coverage_sixteenths(object, 32, 32), 16);
  EXPECT_EQ(coverage_sixteenths(object, 24, 32), 8);
  EXPECT_EQ(coverage_sixteenths(object, 24, 24), 4);
  EXPECT_EQ(coverage_sixteenths(object, 23, 32), 0);
  Scene scene = parse_caption("a red square");
  scene.objects[0] = object;
  const Rgb paint_red = paint(Colour::kRed);
  EXPECT_EQ(at(draw(scene), 32, 24).red, (kBackground.red + paint_red.red + 1) / 2);
}

TEST(Draw, CutsWhatLiesBeyondTheBorder) {
  Scene scene = parse_caption("a red square");
  scene.objects[0].centre_x = 0;
  scene.objects[0].centre_y = 64;
  const Image image = draw(scene);
  EXPECT_EQ(at(image, 63, 0), paint(Colour::kRed));
  EXPECT_EQ(at(image, 63, 12), kBackground);
}

}  // namespace
}  // namespace kvscope::shapes
