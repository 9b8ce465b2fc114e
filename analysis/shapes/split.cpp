#include "analysis/shapes/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/shapes/caption.h"
#include "analysis/shapes/layout.h"
#include "analysis/shapes/random.h"
#include "core/base/error.h"
#include "core/base/split_mix.h"

namespace kvscope::shapes {
namespace {

/// Chosen so that two_objects, with 12 captions, holds out two, of different shapes.
constexpr uint64_t kSplitSalt = 51;

uint64_t caption_hash(std::string_view caption) {
  uint64_t hash = 0xCBF29CE484222325ULL ^ kSplitSalt;  // FNV-1a; its low bits need the mix below
  for (const char letter : caption) {
    hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001B3ULL;
  }
  return split_mix_finaliser(hash);
}

bool has_held_out(Skill skill) {
  return skill == Skill::kTwoObjects || skill == Skill::kPosition ||
         skill == Skill::kColourAttribution;
}

std::vector<std::string> shuffled_test_captions(Skill skill, SplitMix64& random) {
  std::vector<std::string> captions = all_captions(skill);
  if (has_held_out(skill)) {
    std::erase_if(captions, [](const std::string& caption) { return !held_out(caption); });
  }
  for (size_t i = captions.size(); i > 1; --i)
    std::swap(captions[i - 1], captions[random.below(i)]);
  return captions;
}

}  // namespace

bool held_out(std::string_view caption) {
  return has_held_out(parse_caption(caption).skill) && caption_hash(caption) % 10 == 0;
}

Scene training_scene(uint64_t seed, const SkillShares& shares) {
  if (seed >= kFirstTestSeed) {
    throw Error(ErrorKind::kConfig,
                fmt::format("shapes: training seed {} is a test seed; expected one below {}", seed,
                            kFirstTestSeed));
  }
  Scene scene = random_scene(seed, shares);
  SplitMix64 retries(seed);
  while (held_out(scene.caption)) scene = random_scene(retries.next() >> 1, shares);
  return scene;
}

std::vector<std::string> test_prompts(int64_t count, uint64_t seed) {
  SplitMix64 random(seed);
  std::array<std::vector<std::string>, kSkills.size()> captions;
  for (size_t i = 0; i < kSkills.size(); ++i) {
    captions[i] = shuffled_test_captions(kSkills[i], random);
  }
  std::vector<std::string> prompts;
  for (size_t i = 0; i < static_cast<size_t>(std::max<int64_t>(count, 0)); ++i) {
    const std::vector<std::string>& own = captions[i % kSkills.size()];
    prompts.push_back(own[i / kSkills.size() % own.size()]);
  }
  return prompts;
}

std::vector<Scene> test_scenes(int64_t count, uint64_t seed) {
  std::vector<Scene> scenes;
  for (const std::string& caption : test_prompts(count, seed)) {
    SplitMix64 random((split_mix_finaliser(seed) + scenes.size()) | kFirstTestSeed);
    Scene scene = parse_caption(caption);
    for (SceneObject& object : scene.objects) {
      if (!object.colour_named) object.colour = kColours[random.below(kColours.size())];
    }
    jitter(scene, random);
    scenes.push_back(std::move(scene));
  }
  return scenes;
}

}  // namespace kvscope::shapes
