#include "experiments/training/shapes_batches.h"

#include <ATen/ATen.h>

#include "analysis/shapes/draw.h"
#include "analysis/shapes/random.h"
#include "analysis/shapes/split.h"
#include "core/models/image_tensors.h"

namespace kvscope {

ShapesBatch shapes_batch(uint64_t seed,
                         int64_t step,
                         int64_t batch,
                         const shapes::SkillShares& shares) {
  std::vector<Image> images;
  ShapesBatch result;
  shapes::SplitMix64 random(seed * 0x9E3779B97F4A7C15ULL + static_cast<uint64_t>(step));
  for (int64_t i = 0; i < batch; ++i) {
    const uint64_t scene_seed = random.next() >> 1;  // below kFirstTestSeed
    const shapes::Scene scene = shapes::training_scene(scene_seed, shares);
    images.push_back(shapes::draw(scene));
    result.captions.push_back(scene.caption);
  }
  result.images = from_images(images);
  return result;
}

at::Tensor shapes_test_images(uint64_t seed, int64_t count) {
  std::vector<Image> images;
  for (const shapes::Scene& scene : shapes::test_scenes(count, seed)) {
    images.push_back(shapes::draw(scene));
  }
  return from_images(images);
}

}  // namespace kvscope
