// CAKE's layer budgets: plans meet the budget exactly whatever the preferences are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <random>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/profiles/profile_file.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::ElementsAre;

std::string cake(const std::string& preferences) {
  return "{allocate: {name: layer_preference, preferences: " + preferences +
         "}, score: {name: cake, window: 3}, protect: window}";
}

CacheGeometry geometry() {
  return {.layers = 4,
          .heads = 2,
          .head_dim = 4,
          .steps = next_scale_steps({{1, 1}, {2, 3}, {4, 5}, {5, 7}, {6, 6}})};
}

TEST(LayerPreference, LayersHoldTheBudgetOnAverageExactly) {
  for (const char* preferences :
       {"[1, 1, 1, 1]", "[0.001, 3, 5, 0]", "[1e9, 1, 1, 1]", "[0, 0, 0, 7]", "[3, 2, 2, 0.7]"}) {
    const auto policy = policy_from(cake(preferences));
    for (const int64_t budget : {4, 11, 30, 61, 62}) {
      const Plan plan = policy->plan(geometry(), Budget::of_tokens(budget));
      for (const StepInfo& step : plan.geometry().steps) {
        if (!step.stored) continue;
        const int64_t seen = step.first_token + step.queries();
        int64_t sum = 0;
        for (int64_t layer = 0; layer < 4; ++layer) {
          EXPECT_GE(plan.kept(step.index, layer, 0), std::min<int64_t>(seen, 3));
          sum += plan.kept(step.index, layer, 0);
        }
        EXPECT_EQ(sum, 4 * std::min(budget, seen))
            << preferences << ", budget " << budget << ", step " << step.index;
      }
    }
  }
}

TEST(LayerPreference, PreferredLayersHoldMore) {
  const Plan plan = policy_from(cake("[1, 4, 2, 1]"))->plan(geometry(), Budget::of_tokens(11));
  // 8 tokens per layer beside the window of 3, 32 together: 4, 16, 8 and 4 of them.
  EXPECT_EQ(plan.kept(3, 0, 0), 7);
  EXPECT_EQ(plan.kept(3, 1, 1), 19);
  EXPECT_EQ(plan.kept(3, 2, 0), 11);
  EXPECT_EQ(plan.kept(3, 3, 1), 7);
}

TEST(LayerPreference, IsUniformWhereNothingIsGiven) {
  const Plan plan = policy_from(cake("uniform"))->plan(geometry(), Budget::of_tokens(11));
  for (int64_t layer = 0; layer < 4; ++layer) EXPECT_EQ(plan.kept(3, layer, 0), 11);
}

TEST(LayerPreference, ReadsAProfileOfLayers) {
  const auto path = std::filesystem::path(testing::TempDir()) / "preferences.yaml";
  Profile profile{.kind = ProfileKind::kLayers,
                  .shape = ProfileShape::of(geometry()),
                  .metric = {.name = "preference"},
                  .values = {{1}, {4}, {2}, {1}}};
  write_profile(path, profile);
  const auto kept = [&] {
    return policy_from(cake("'" + path.string() + "'"))
        ->plan(geometry(), Budget::of_tokens(11))
        .kept(3, 1, 0);
  };
  EXPECT_EQ(kept(), 19);
  profile.shape.heads += 1;
  write_profile(path, profile);
  EXPECT_THROW(kept(), Error) << "of another model";
  profile.kind = ProfileKind::kHeads;
  profile.shape.heads = 1;
  write_profile(path, profile);
  EXPECT_THROW(kept(), Error) << "of another kind";
}

TEST(LayerPreference, SaysWhatIsWrongWithPreferences) {
  const auto message = [](const std::string& preferences) -> std::string {
    try {
      (void)policy_from(cake(preferences))->plan(geometry(), Budget::of_tokens(11));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("[1, 2]"), testing::HasSubstr("2 layers; the model has 4"));
  EXPECT_THAT(message("[1, -2, 1, 1]"), testing::HasSubstr("layer 1"));
  EXPECT_THAT(message("[0, 0, 0, 0]"), testing::HasSubstr("all are 0"));
  EXPECT_THAT(message("[[1, 2], [1, 2], [1, 2], [1, 2]]"), testing::HasSubstr("one number"));
  EXPECT_THAT(message("nowhere.txt"), testing::HasSubstr("nowhere.txt"));
}

}  // namespace
}  // namespace kvscope
