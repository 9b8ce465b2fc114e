#include "analysis/shapes/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

#include "analysis/shapes/caption.h"

namespace kvscope::shapes {
namespace {

TEST(Scene, SameSeedSameSceneAndOtherSeedsDiffer) {
  EXPECT_EQ(random_scene(7), random_scene(7));
  std::set<std::string> captions;
  for (uint64_t seed = 0; seed < 200; ++seed) captions.insert(random_scene(seed).caption);
  EXPECT_GT(captions.size(), 100U);
}

TEST(Scene, DrawsAreFixedForEver) {
  // Trained weights depend on these; a change of the generator must show.
  EXPECT_EQ(random_scene(Skill::kPosition, 0).caption, "a blue cross left of a green circle");
  EXPECT_EQ(random_scene(Skill::kCounting, 1).caption, "four magenta triangles");
}

TEST(Scene, SkillsComeInTheirShares) {
  std::array<int64_t, kSkills.size()> drawn{};
  const SkillShares shares = {0, 1, 0, 3, 0, 4};
  constexpr int64_t kScenes = 8000;
  for (uint64_t seed = 0; seed < kScenes; ++seed) {
    ++drawn[static_cast<size_t>(random_scene(seed, shares).skill)];
  }
  for (size_t i = 0; i < drawn.size(); ++i) {  // within five standard deviations
    const double share = static_cast<double>(shares[i]) / 8;
    EXPECT_NEAR(static_cast<double>(drawn[i]), kScenes * share,
                5 * std::sqrt(kScenes * share * (1 - share)));
  }
}

TEST(Scene, ObjectsStayInTheImageAndApart) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const Scene scene = random_scene(seed);
    for (size_t i = 0; i < scene.objects.size(); ++i) {
      const SceneObject& a = scene.objects[i];
      const int64_t reach = a.size / 2 + 1;
      EXPECT_GE(std::min(a.centre_x, a.centre_y) - reach, 0) << scene.caption;
      EXPECT_LE(std::max(a.centre_x, a.centre_y) + reach, kImageSize) << scene.caption;
      for (size_t j = 0; j < i; ++j) {
        const SceneObject& b = scene.objects[j];
        const int64_t gap =
            std::max(std::abs(a.centre_x - b.centre_x), std::abs(a.centre_y - b.centre_y)) -
            (a.size + b.size) / 2;
        EXPECT_GE(gap, 5) << scene.caption;
      }
    }
  }
}

TEST(Scene, EverySkillMeetsEveryOneOfItsCaptions) {
  for (const Skill skill : kSkills) {
    std::set<std::string> drawn;
    for (uint64_t seed = 0; seed < 20000; ++seed) drawn.insert(random_scene(skill, seed).caption);
    const std::vector<std::string> all = all_captions(skill);
    EXPECT_EQ(drawn, std::set<std::string>(all.begin(), all.end())) << skill_name(skill);
  }
}

}  // namespace
}  // namespace kvscope::shapes
