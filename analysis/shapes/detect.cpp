#include "analysis/shapes/detect.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/shapes/pixel_labels.h"
#include "analysis/shapes/soft_overlap.h"
#include "core/base/error.h"

namespace kvscope::shapes {
namespace {

constexpr int64_t kSmallestSide = 8;
constexpr int64_t kPixelsPerPatchPixel = 100;  // a patch is at least 1 % of the image
constexpr double kSmallestOverlap = 0.75;

struct Patch {
  int8_t label = kNoColour;
  std::vector<int64_t> pixels;  // y * width + x
};

Patch flood(std::vector<int8_t>& labels, int64_t height, int64_t width, int64_t start) {
  Patch patch{labels[start], {start}};
  labels[start] = kNoColour;
  for (size_t next = 0; next < patch.pixels.size(); ++next) {
    const int64_t y = patch.pixels[next] / width;
    const int64_t x = patch.pixels[next] % width;
    const auto visit = [&](int64_t row, int64_t column) {
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      const int64_t pixel = row * width + column;
      if (labels[pixel] != patch.label) return;
      labels[pixel] = kNoColour;
      patch.pixels.push_back(pixel);
    };
    visit(y - 1, x);
    visit(y + 1, x);
    visit(y, x - 1);
    visit(y, x + 1);
  }
  return patch;
}

/// Undoes most of a slight blur: half strength stays where it is, edges get narrower.
double steepened(double strength) {
  constexpr double kNothing = 0.2;
  constexpr double kFull = 0.8;
  return std::clamp((strength - kNothing) / (kFull - kNothing), 0.0, 1.0);
}

/// How strongly the image shows the patch's colour, on the patch and the pixels that touch it
/// (its half covered edge), zero elsewhere; the window has a margin of one pixel.
SoftMask soft_mask(const Patch& patch, const Image& image, const DetectedObject& box) {
  SoftMask mask;
  mask.height = box.bottom - box.top + 2;
  mask.width = box.right - box.left + 2;
  mask.strength.assign(static_cast<size_t>(mask.height * mask.width), 0.0);
  for (const int64_t pixel : patch.pixels) {
    const int64_t y = pixel / image.width;
    const int64_t x = pixel % image.width;
    for (int64_t row = std::max<int64_t>(y - 1, 0); row <= y + 1 && row < image.height; ++row) {
      for (int64_t column = std::max<int64_t>(x - 1, 0); column <= x + 1 && column < image.width;
           ++column) {
        const int64_t at = (row - box.top + 1) * mask.width + column - box.left + 1;
        mask.strength[at] = steepened(strength(image.pixel(row, column), patch.label));
      }
    }
  }
  return mask;
}

DetectedObject describe(const Patch& patch, const Image& image) {
  const int64_t width = image.width;
  DetectedObject object;
  object.colour = kColours[static_cast<size_t>(patch.label)];
  object.area_pixels = static_cast<int64_t>(patch.pixels.size());
  object.left = patch.pixels.front() % width;
  object.top = patch.pixels.front() / width;
  for (const int64_t pixel : patch.pixels) {
    object.left = std::min(object.left, pixel % width);
    object.right = std::max(object.right, pixel % width + 1);
    object.top = std::min(object.top, pixel / width);
    object.bottom = std::max(object.bottom, pixel / width + 1);
  }
  const SoftMask mask = soft_mask(patch, image, object);
  for (const Shape shape : kShapes) {
    const double overlap = soft_overlap(mask, shape);
    if (overlap > object.overlap) {
      object.overlap = overlap;
      object.shape = shape;
    }
  }
  if (object.overlap < kSmallestOverlap) object.shape.reset();
  return object;
}

}  // namespace

std::vector<DetectedObject> detect(const Image& image) {
  const int64_t height = image.height;
  const int64_t width = image.width;
  if (height < kSmallestSide || width < kSmallestSide) {
    throw Error(ErrorKind::kInput,
                fmt::format("shapes: an image of {} x {} pixels; expected at least {} x {}", height,
                            width, kSmallestSide, kSmallestSide));
  }
  std::vector<int8_t> labels = without_lone_pixels(label_pixels(image), height, width);
  std::vector<DetectedObject> objects;
  for (int64_t start = 0; start < height * width; ++start) {
    if (labels[start] == kNoColour) continue;
    const Patch patch = flood(labels, height, width, start);
    if (static_cast<int64_t>(patch.pixels.size()) * kPixelsPerPatchPixel >= height * width) {
      objects.push_back(describe(patch, image));
    }
  }
  std::stable_sort(objects.begin(), objects.end(),
                   [](const auto& a, const auto& b) { return a.area_pixels > b.area_pixels; });
  return objects;
}

}  // namespace kvscope::shapes
