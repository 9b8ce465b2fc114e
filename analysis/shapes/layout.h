#pragma once

#include "analysis/shapes/random.h"
#include "analysis/shapes/scene.h"

namespace kvscope::shapes {

/// Places the scene's objects on the canonical layout of its skill, without jitter: one object in
/// the middle; two side by side in caption order or on the axis of the relation; counts of 2, 3, 4
/// as a row, a pyramid, a square.
void place(Scene& scene);

/// Moves each object by up to 2 pixels each way, then resizes all of them by one draw of up to 1
/// pixel. No two objects ever come nearer than 5 pixels.
void jitter(Scene& scene, SplitMix64& random);

}  // namespace kvscope::shapes
