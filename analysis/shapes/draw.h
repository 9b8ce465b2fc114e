#pragma once

#include "analysis/shapes/scene.h"
#include "core/base/image.h"

namespace kvscope::shapes {

/// How much of pixel (x, y) an object covers, in sixteenths: a 4 x 4 grid of samples, counted in
/// whole numbers, so every machine draws the same bytes.
///   circle    the disc in the box            square  the whole box
///   triangle  apex in the middle of the top, base the whole bottom
///   cross     upright, arms 3/8 of the box wide
int coverage_sixteenths(const SceneObject& object, int64_t x, int64_t y);

/// The scene on kBackground, kImageSize x kImageSize, edges blended by coverage. Objects beyond
/// the border are cut.
Image draw(const Scene& scene);

}  // namespace kvscope::shapes
