// CAKE's layer budgets: the published adjustment on cases worked out by hand, and plans that meet
// the budget exactly whatever the preferences are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <random>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/allocate/layer_budgets.h"
#include "policies/profiles/profile_file.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::ElementsAre;

std::vector<int64_t> adjusted(std::vector<double> budgets, int64_t total, int64_t limit) {
  return adjusted_budgets(budgets, total, limit);
}

TEST(LayerBudgets, AreTruncatedAndTheRestGoesToTheFirst) {
  EXPECT_THAT(adjusted({3.9, 3.9, 2.2}, 10, 99), ElementsAre(4, 4, 2));  // 3 + 3 + 2, two missing
  EXPECT_THAT(adjusted({-0.9, 5.0}, 5, 99), ElementsAre(0, 5));          // towards zero
}

TEST(LayerBudgets, ExcessOverTheLimitIsSharedByTheOthers) {
  // 20 is 12 over the limit of 8: 6 each to the others, one of which then is over it by itself.
  EXPECT_THAT(adjusted({20, 5, 1}, 26, 8), ElementsAre(8, 11, 7));
  // 7 over: 4 and 3.
  EXPECT_THAT(adjusted({15, 1, 2}, 18, 8), ElementsAre(8, 5, 5));
}

TEST(LayerBudgets, TooMuchIsTakenFromLayersAboveOne) {
  EXPECT_THAT(adjusted({6, 1, 5, 0}, 7, 99), ElementsAre(3, 1, 3, 0));  // 5 off: 3 and 2
  EXPECT_THAT(adjusted({2, 9}, 1, 99), ElementsAre(-3, 4));             // once only
  EXPECT_THAT(adjusted({1, 0}, -5, 99), ElementsAre(1, 0));             // nobody can give
  EXPECT_THAT(adjusted({4, 4}, 12, 4), ElementsAre(4, 4));              // nobody can take
}

TEST(LayerBudgets, RefuseWhatIsNoNumber) {
  EXPECT_THROW(adjusted({1, std::nan("")}, 3, 9), Error);
  EXPECT_THROW(adjusted({1, INFINITY}, 3, 9), Error);
  EXPECT_THROW(preferred_budgets(std::vector<double>{0, 0}, 3, 9), Error);
  EXPECT_THROW(preferred_budgets(std::vector<double>{2, -1}, 3, 9), Error);
}

TEST(LayerBudgets, FittingMeetsBoundsAndTotal) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> budgets(1 + random() % 7);
    for (int64_t& budget : budgets) budget = static_cast<int64_t>(random() % 60) - 20;
    const auto limit = static_cast<int64_t>(5 + random() % 30);
    const auto layers = std::ssize(budgets);
    const auto total = static_cast<int64_t>(random() % static_cast<uint64_t>(40 * layers));
    const auto fitted = fitted_budgets(budgets, total, 1, limit);
    for (const int64_t budget : fitted) {
      EXPECT_GE(budget, 1);
      EXPECT_LE(budget, limit);
    }
    EXPECT_EQ(std::accumulate(fitted.begin(), fitted.end(), int64_t{0}),
              std::clamp(total, layers, limit * layers));
  }
}

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
  // 8 tokens a layer beside the window of 3, 32 together: 4, 16, 8 and 4 of them.
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
