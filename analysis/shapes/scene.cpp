#include "analysis/shapes/scene.h"

#include <numeric>

#include "analysis/shapes/caption.h"
#include "analysis/shapes/layout.h"
#include "analysis/shapes/random.h"

namespace kvscope::shapes {
namespace {

template <size_t kSize>
size_t draw_index(SplitMix64& random) {
  return static_cast<size_t>(random.below(kSize));
}

SceneObject random_object(SplitMix64& random, bool colour_named) {
  SceneObject object;
  object.shape = kShapes[draw_index<kShapes.size()>(random)];
  object.colour = kColours[draw_index<kColours.size()>(random)];
  object.colour_named = colour_named;
  return object;
}

/// A second object that shares neither shape nor colour with the first; as in GenEval, so that a
/// caption has one reading. Unnamed colours may coincide.
SceneObject other_object(SplitMix64& random, const SceneObject& first) {
  SceneObject object = first;
  object.shape = kShapes[(static_cast<size_t>(first.shape) + 1 + random.below(kShapes.size() - 1)) %
                         kShapes.size()];
  if (first.colour_named) {
    const size_t step = 1 + random.below(kColours.size() - 1);
    object.colour = kColours[(static_cast<size_t>(first.colour) + step) % kColours.size()];
  } else {
    object.colour = kColours[draw_index<kColours.size()>(random)];
  }
  return object;
}

Scene random_scene_from(Skill skill, SplitMix64& random) {
  Scene scene;
  scene.skill = skill;
  const bool colour_named = skill != Skill::kSingleObject && skill != Skill::kTwoObjects;
  scene.objects.push_back(random_object(random, colour_named));
  if (skill == Skill::kCounting) {
    const uint64_t choices = kMostCounted - kFewestCounted + 1;
    scene.objects.resize(kFewestCounted + random.below(choices), scene.objects.front());
  } else if (skill != Skill::kSingleObject && skill != Skill::kColours) {
    scene.objects.push_back(other_object(random, scene.objects.front()));
  }
  if (skill == Skill::kPosition) scene.relation = kRelations[draw_index<kRelations.size()>(random)];
  place(scene);
  jitter(scene, random);
  scene.caption = write_caption(scene);
  return scene;
}

}  // namespace

Rgb paint(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return {230, 45, 45};
    case Colour::kGreen:
      return {50, 200, 75};
    case Colour::kBlue:
      return {60, 90, 245};
    case Colour::kYellow:
      return {245, 215, 45};
    case Colour::kMagenta:
      return {225, 65, 215};
    case Colour::kCyan:
      return {55, 210, 225};
  }
  return kBackground;
}

std::string_view skill_name(Skill skill) {
  constexpr std::array<std::string_view, kSkills.size()> kNames = {
      "single_object", "two_objects", "counting", "colours", "position", "colour_attribution"};
  return kNames[static_cast<size_t>(skill)];
}

std::string_view shape_name(Shape shape) {
  constexpr std::array<std::string_view, kShapes.size()> kNames = {"circle", "square", "triangle",
                                                                   "cross"};
  return kNames[static_cast<size_t>(shape)];
}

std::string_view colour_name(Colour colour) {
  constexpr std::array<std::string_view, kColours.size()> kNames = {"red",    "green",   "blue",
                                                                    "yellow", "magenta", "cyan"};
  return kNames[static_cast<size_t>(colour)];
}

Scene random_scene(Skill skill, uint64_t seed) {
  SplitMix64 random(seed);
  return random_scene_from(skill, random);
}

Scene random_scene(uint64_t seed, const SkillShares& shares) {
  SplitMix64 random(seed);
  const int64_t sum = std::accumulate(shares.begin(), shares.end(), int64_t{0});
  auto left = static_cast<int64_t>(random.below(static_cast<uint64_t>(sum)));
  size_t skill = 0;
  while (left >= shares[skill]) left -= shares[skill++];
  return random_scene_from(kSkills[skill], random);
}

}  // namespace kvscope::shapes
