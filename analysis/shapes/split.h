#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/shapes/scene.h"

namespace kvscope::shapes {

/// Training draws from seeds below this one, tests from this one on, so no test image's layout
/// was drawn for training.
inline constexpr uint64_t kFirstTestSeed = uint64_t{1} << 63;

/// Whether training never sees this caption: a tenth of the captions of two_objects, position and
/// colour_attribution (2 of 12, 136 of 1440, 36 of 360), by a hash of the text. The other skills
/// have too few captions to spare any. Error(kConfig) when it is no caption.
bool held_out(std::string_view caption);

/// A scene for training: seed's random scene, redrawn while its caption is held out. Seeds from
/// 0 to kFirstTestSeed - 1, else Error(kConfig).
Scene training_scene(uint64_t seed, const SkillShares& shares = kSkillShares);

/// `count` captions, the skills in turn (the order of kSkills): held-out ones where the skill has
/// any, else any of its captions. Within a skill they come in an order shuffled by `seed` and
/// repeat only after all were used.
std::vector<std::string> test_prompts(int64_t count, uint64_t seed);

/// Images to compare with: scenes of test_prompts(count, seed), jittered from the test seeds.
std::vector<Scene> test_scenes(int64_t count, uint64_t seed);

}  // namespace kvscope::shapes
