#include "analysis/shapes/layout.h"

#include <utility>
#include <vector>

namespace kvscope::shapes {
namespace {

constexpr int64_t kSingleSize = 24;
constexpr int64_t kPairSize = 20;
constexpr int64_t kCountedSize = 16;
constexpr int64_t kMiddle = kImageSize / 2;
constexpr int64_t kNear = 17;  // the two centres of a pair on its axis
constexpr int64_t kFar = 47;
constexpr int64_t kCountedNear = 18;
constexpr int64_t kCountedFar = 46;

using Centres = std::vector<std::pair<int64_t, int64_t>>;  // (x, y)

Centres counted_centres(size_t count) {
  if (count == 2) return {{kCountedNear, kMiddle}, {kCountedFar, kMiddle}};
  if (count == 3) {
    return {{kMiddle, kCountedNear}, {kCountedNear, kCountedFar}, {kCountedFar, kCountedFar}};
  }
  return {{kCountedNear, kCountedNear},
          {kCountedFar, kCountedNear},
          {kCountedNear, kCountedFar},
          {kCountedFar, kCountedFar}};
}

Centres pair_centres(Relation relation) {
  switch (relation) {
    case Relation::kLeftOf:
      return {{kNear, kMiddle}, {kFar, kMiddle}};
    case Relation::kRightOf:
      return {{kFar, kMiddle}, {kNear, kMiddle}};
    case Relation::kAbove:
      return {{kMiddle, kNear}, {kMiddle, kFar}};
    case Relation::kBelow:
      return {{kMiddle, kFar}, {kMiddle, kNear}};
  }
  return {};
}

}  // namespace

void place(Scene& scene) {
  Centres centres;
  int64_t size = kPairSize;
  if (scene.skill == Skill::kCounting) {
    centres = counted_centres(scene.objects.size());
    size = kCountedSize;
  } else if (scene.objects.size() == 1) {
    centres = {{kMiddle, kMiddle}};
    size = kSingleSize;
  } else {
    centres = pair_centres(scene.relation.value_or(Relation::kLeftOf));
  }
  for (size_t i = 0; i < scene.objects.size(); ++i) {
    scene.objects[i].centre_x = centres[i].first;
    scene.objects[i].centre_y = centres[i].second;
    scene.objects[i].size = size;
  }
}

void jitter(Scene& scene, SplitMix64& random) {
  const int64_t growth = random.jitter(1);
  for (SceneObject& object : scene.objects) {
    object.centre_x += random.jitter(2);
    object.centre_y += random.jitter(2);
    object.size += growth;
  }
}

}  // namespace kvscope::shapes
