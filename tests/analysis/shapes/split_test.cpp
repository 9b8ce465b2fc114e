#include "analysis/shapes/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "analysis/shapes/caption.h"
#include "core/base/error.h"

namespace kvscope::shapes {
namespace {

int64_t held_out_count(Skill skill) {
  const std::vector<std::string> captions = all_captions(skill);
  return std::count_if(captions.begin(), captions.end(),
                       [](const std::string& caption) { return held_out(caption); });
}

TEST(Split, HoldsOutATenthOfTheComposedCaptions) {
  EXPECT_EQ(held_out_count(Skill::kSingleObject), 0);
  EXPECT_EQ(held_out_count(Skill::kCounting), 0);
  EXPECT_EQ(held_out_count(Skill::kColours), 0);
  EXPECT_EQ(held_out_count(Skill::kTwoObjects), 2);
  EXPECT_EQ(held_out_count(Skill::kPosition), 136);
  EXPECT_EQ(held_out_count(Skill::kColourAttribution), 36);
}

TEST(Split, TrainingMeetsAllCaptionsButTheHeldOut) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100000; ++seed) {
    const Scene scene = training_scene(seed);
    EXPECT_FALSE(held_out(scene.caption)) << scene.caption;
    seen.insert(scene.caption);
  }
  EXPECT_EQ(seen.size(), 4U + 10U + 72U + 24U + (1440U - 136U) + (360U - 36U));
  EXPECT_EQ(training_scene(11), training_scene(11));
  EXPECT_THROW(training_scene(kFirstTestSeed), Error);
}

TEST(Split, TestPromptsAreBalancedHeldOutAndReproducible) {
  const std::vector<std::string> prompts = test_prompts(120, 3);
  ASSERT_EQ(prompts.size(), 120U);
  EXPECT_EQ(prompts, test_prompts(120, 3));
  EXPECT_NE(prompts, test_prompts(120, 4));
  std::set<std::string> positions;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const Skill skill = parse_caption(prompts[i]).skill;
    EXPECT_EQ(skill, kSkills[i % kSkills.size()]);
    EXPECT_EQ(held_out(prompts[i]), held_out_count(skill) > 0) << prompts[i];
    if (skill == Skill::kPosition) positions.insert(prompts[i]);
  }
  EXPECT_EQ(positions.size(), 20U) << "no repeats while captions last";
  EXPECT_TRUE(test_prompts(0, 3).empty());
}

TEST(Split, TestScenesFollowThePrompts) {
  const std::vector<Scene> scenes = test_scenes(60, 5);
  const std::vector<std::string> prompts = test_prompts(60, 5);
  ASSERT_EQ(scenes.size(), prompts.size());
  for (size_t i = 0; i < scenes.size(); ++i) EXPECT_EQ(scenes[i].caption, prompts[i]);
  EXPECT_EQ(scenes, test_scenes(60, 5));
}

}  // namespace
}  // namespace kvscope::shapes
