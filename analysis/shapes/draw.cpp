#include "analysis/shapes/draw.h"

#include <algorithm>
#include <cstdlib>

namespace kvscope::shapes {
namespace {

/// In eighths of a pixel, from the centre: x right, y down, `side` the box's side.
bool inside(Shape shape, int64_t x, int64_t y, int64_t side) {
  const int64_t across = 2 * std::abs(x);
  const int64_t along = 2 * std::abs(y);
  if (across > side || along > side) return false;
  switch (shape) {
    case Shape::kCircle:
      return across * across + along * along <= side * side;
    case Shape::kSquare:
      return true;
    case Shape::kTriangle:
      return 2 * across <= 2 * y + side;  // half width grows from 0 at the top to side / 2
    case Shape::kCross:
      return 8 * across <= 3 * side || 8 * along <= 3 * side;
  }
  return false;
}

uint8_t blend(uint8_t below, uint8_t above, int sixteenths) {
  return static_cast<uint8_t>((below * (16 - sixteenths) + above * sixteenths + 8) / 16);
}

void draw_object(const SceneObject& object, Image& image) {
  const Rgb colour = paint(object.colour);
  const int64_t reach = object.size / 2 + 1;
  const int64_t top = std::max<int64_t>(object.centre_y - reach, 0);
  const int64_t bottom = std::min(object.centre_y + reach, image.height);
  const int64_t left = std::max<int64_t>(object.centre_x - reach, 0);
  const int64_t right = std::min(object.centre_x + reach, image.width);
  for (int64_t y = top; y < bottom; ++y) {
    for (int64_t x = left; x < right; ++x) {
      const int sixteenths = coverage_sixteenths(object, x, y);
      uint8_t* pixel = image.pixel(y, x);
      pixel[0] = blend(pixel[0], colour.red, sixteenths);
      pixel[1] = blend(pixel[1], colour.green, sixteenths);
      pixel[2] = blend(pixel[2], colour.blue, sixteenths);
    }
  }
}

}  // namespace

int coverage_sixteenths(const SceneObject& object, int64_t x, int64_t y) {
  int covered = 0;
  for (int64_t row = 1; row < 8; row += 2) {
    for (int64_t column = 1; column < 8; column += 2) {
      covered += inside(object.shape, 8 * (x - object.centre_x) + column,
                        8 * (y - object.centre_y) + row, 8 * object.size)
                     ? 1
                     : 0;
    }
  }
  return covered;
}

Image draw(const Scene& scene) {
  Image image(kImageSize, kImageSize);
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = kBackground.red;
    image.rgb[i + 1] = kBackground.green;
    image.rgb[i + 2] = kBackground.blue;
  }
  for (const SceneObject& object : scene.objects) draw_object(object, image);
  return image;
}

}  // namespace kvscope::shapes
