#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/shapes/detect.h"
#include "analysis/shapes/scene.h"
#include "core/base/image.h"

namespace kvscope::shapes {

/// Whether an image shows what its caption asks for.
struct ShapeVerdict {
  Skill skill = Skill::kSingleObject;
  bool correct = false;
  std::string reason;  ///< what was expected and what was seen; empty when correct
  std::vector<DetectedObject> objects;
};

/// Judges an image as GenEval does (djghosh13/geneval, evaluate_images.py), by detected objects:
///   every skill   each object asked for is there, with its shape and, if named, its colour; things
///                 not asked for do not matter
///   counting      exactly so many of the shape, all in the named colour
///   position      centres apart along the relation: more than a tenth of the two boxes' sides,
///                 and more than half of the distance between them
/// Only what the caption says is read from `asked`, never where its objects were drawn.
ShapeVerdict judge(const Image& image, const Scene& asked);

/// The same by caption; Error(kConfig) when it is none (caption.h).
ShapeVerdict judge(const Image& image, std::string_view caption);

}  // namespace kvscope::shapes
