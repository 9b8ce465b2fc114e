#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/shapes/scene.h"

namespace kvscope {

/// Images [B, 3, 64, 64] in [-1, 1] and their captions.
struct ShapesBatch {
  at::Tensor images;
  std::vector<std::string> captions;
};

/// Batch `step` of the training stream: scenes from (seed, step, position) alone, so a resumed
/// training sees what an uninterrupted one would. Scenes with held-out captions never occur.
ShapesBatch shapes_batch(uint64_t seed,
                         int64_t step,
                         int64_t batch,
                         const shapes::SkillShares& shares = shapes::kSkillShares);

/// Images [count, 3, 64, 64] of the test range, which training never draws.
at::Tensor shapes_test_images(uint64_t seed, int64_t count);

}  // namespace kvscope
