#pragma once

#include <optional>
#include <vector>

#include "analysis/shapes/scene.h"
#include "core/base/image.h"

namespace kvscope::shapes {

/// One connected patch of a palette colour, as seen; nothing here knows how an image was made.
struct DetectedObject {
  Colour colour = Colour::kRed;
  std::optional<Shape> shape;  ///< none: no shape of the world fits the patch
  double overlap = 0.0;        ///< soft intersection over union with the best fitting shape, 0..1
  int64_t area_pixels = 0;
  int64_t left = 0;  ///< bounding box, right and bottom exclusive
  int64_t top = 0;
  int64_t right = 0;
  int64_t bottom = 0;
};

/// The patches of an image of any size >= 8 x 8, largest first. Patches below 1 % of the image
/// are taken for noise. Steps: every pixel goes to the palette colour whose direction from the
/// background is nearest, if it is at least half that bright; lone pixels join their neighbours;
/// 4-connected patches of one colour are compared with each shape (soft_overlap.h) and keep the
/// best one if it overlaps by at least 0.75. Two merged shapes overlap with any by less; of two
/// different ones only circle and square reach more, 0.81 to 0.84, where the true one nears 1.
/// Error(kInput) when the image is smaller.
std::vector<DetectedObject> detect(const Image& image);

}  // namespace kvscope::shapes
