#include <gtest/gtest.h>

#include <numeric>

#include "../budgets.h"
#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/profiles/drafter_roles.h"
#include "policies/profiles/scalekv_tables.h"
#include "policies/shares/drafter_budget.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";
constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr int64_t kRowsOfBatch8 = 16;  // classifier-free guidance doubles them

std::vector<StepInfo> steps_1m() {
  std::vector<std::pair<int64_t, int64_t>> schedule;
  for (const int64_t side : {1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64}) {
    schedule.emplace_back(side, side);
  }
  return next_scale_steps(schedule);
}

/// fp32 K and bf16 V, as the published model stores them.
CacheGeometry infinity(int64_t layers, int64_t heads) {
  return {.layers = layers,
          .heads = heads,
          .head_dim = 128,
          .key_type = at::kFloat,
          .value_type = at::kBFloat16,
          .steps = steps_1m()};
}

void expect_released(const ScaleKvTable& table, const CacheGeometry& geometry) {
  const Plan plan =
      make_plan(geometry, named_policy(kPolicyFolder, "scalekv"), Budget::of_tokens(650));
  for (int64_t step = 0; step < 12; ++step) {
    const ScaleKvBudget* released = table.after(step);
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      int64_t expected = geometry.steps[step].first_token + geometry.steps[step].queries();
      if (released != nullptr) {
        const auto& drafters = released->drafters;
        const bool drafts = std::find(drafters.begin(), drafters.end(), layer) != drafters.end();
        expected = drafts ? released->max_tokens : released->min_tokens;
      }
      EXPECT_EQ(plan.kept(step, layer, 3), expected) << "step " << step << ", layer " << layer;
    }
  }
}

TEST(DrafterRefiner, TheRuleGivesTheReleased2bTable) {
  expect_released(released_2b_table(), infinity(32, 16));
}

TEST(DrafterRefiner, TheRuleGivesTheReleased8bTable) {
  expect_released(released_8b_table(), infinity(40, 28));
}

TEST(DrafterRefiner, ReleasedTablesHoldTheBudgetAtEveryScale) {
  for (const ScaleKvTable& table : {released_2b_table(), released_8b_table()}) {
    for (const ScaleKvBudget& budget : table.budgets) {
      const auto drafters = static_cast<int64_t>(budget.drafters.size());
      EXPECT_EQ(drafters * budget.max_tokens + (table.layers - drafters) * budget.min_tokens,
                650 * table.layers);
    }
  }
}

TEST(DrafterRefiner, EveryCompressedStepHoldsExactlyTheBudget) {
  for (const auto& geometry : {infinity(32, 16), infinity(40, 28), infinity(7, 3)}) {
    for (const int64_t tokens : {1300, 650, 265, 31}) {
      const Plan plan =
          make_plan(geometry, named_policy(kPolicyFolder, "scalekv"), Budget::of_tokens(tokens));
      for (const StepInfo& step : geometry.steps) {
        const int64_t everything = step.first_token + (step.stored ? step.queries() : 0);
        EXPECT_EQ(plan.live_tokens(step.index),
                  std::min(everything, tokens) * geometry.layers * geometry.heads)
            << tokens << " tokens, step " << step.index;
      }
    }
  }
}

TEST(DrafterRefiner, OtherBudgetsStartWhereTheAuthorSays) {
  // 4 % evicts before scale 8, 20 % before scale 10.
  const auto first_eviction = [](int64_t tokens) {
    const CacheGeometry geometry = infinity(32, 16);
    const Plan plan =
        make_plan(geometry, named_policy(kPolicyFolder, "scalekv"), Budget::of_tokens(tokens));
    for (const StepInfo& step : geometry.steps) {
      if (plan.kept(step.index, 5, 0) < step.first_token + step.queries()) {
        return step.index + 2;
      }
    }
    return int64_t{0};
  };
  EXPECT_EQ(first_eviction(265), 8);
  EXPECT_EQ(first_eviction(650), 9);
  EXPECT_EQ(first_eviction(1300), 10);
}

TEST(PlannedMemory, IsThePapersTable1) {
  const struct {
    CacheGeometry geometry;
    std::vector<double> mebibytes;  // full, 1300, 650, 265 tokens
  } models[] = {{infinity(32, 16), {38550.0, 7800.0, 3900.0, 1590.0}},
                {infinity(40, 28), {84328.125, 17062.5, 8531.25, 3478.125}}};
  const auto megabytes = [](const Plan& plan) {
    const auto into_last = static_cast<int64_t>(plan.geometry().steps.size()) - 2;
    return static_cast<double>(plan.live_bytes(into_last, kRowsOfBatch8)) / kMebibyte;
  };
  for (const auto& model : models) {
    EXPECT_EQ(megabytes(make_plan(model.geometry, named_policy(kPolicyFolder, "full"), Budget{})),
              model.mebibytes[0]);
    for (const char* policy : {"scalekv", "snapkv", "sliding_window", "streaming_llm"}) {
      int column = 1;
      for (const int64_t tokens : {1300, 650, 265}) {
        const Plan plan = make_plan(model.geometry, named_policy(kPolicyFolder, policy),
                                    Budget::of_tokens(tokens));
        EXPECT_EQ(megabytes(plan), model.mebibytes[column++]) << policy << " " << tokens;
      }
    }
  }
}

TEST(ReleasedTable, GivesItsCapacitiesToAModelWithFewerLayers) {
  ConfigNode policy = named_policy(kPolicyFolder, "scalekv");
  policy.set_path("allocate.budgets", "released_2b");
  CacheGeometry geometry = infinity(4, 4);
  const Plan plan = make_plan(geometry, policy, tokens_at_evictions(650));
  const int64_t drafter[] = {920, 1490, 2510, 4100, 6385};
  const int64_t refiner[] = {632, 594, 526, 420, 465};
  for (int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(plan.kept(7 + i, 0, 3), drafter[i]);
    EXPECT_EQ(plan.kept(7 + i, 1, 0), refiner[i]);
    EXPECT_EQ(plan.kept(7 + i, 3, 1), refiner[i]);
  }
  EXPECT_THROW(make_plan(geometry, policy, tokens_at_evictions(651)), Error);
  geometry.steps = next_scale_steps({{1, 1}, {20, 20}, {30, 30}});
  EXPECT_THROW(make_plan(geometry, policy, tokens_at_evictions(400)), Error);
}

TEST(DrafterRoles, AreTheReleasedOnesForTheReleasedModels) {
  const auto before = [](const DrafterRoles& roles, const CacheGeometry& geometry, int64_t scale) {
    return roles.after(geometry, geometry.steps[scale - 2]);
  };
  const DrafterRoles roles;
  EXPECT_EQ(before(roles, infinity(32, 16), 8), (std::vector<int64_t>{0, 23}));
  EXPECT_EQ(before(roles, infinity(32, 16), 12), (std::vector<int64_t>{0, 23}));
  EXPECT_EQ(before(roles, infinity(32, 16), 13), (std::vector<int64_t>{0}));
  EXPECT_EQ(before(roles, infinity(40, 28), 13), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(before(roles, infinity(6, 16), 9), (std::vector<int64_t>{0}));
  EXPECT_EQ(before(roles, infinity(6, 8), 9), (std::vector<int64_t>{0}));
  EXPECT_EQ(before(DrafterRoles({4, 2, 4}), infinity(6, 8), 9), (std::vector<int64_t>{2, 4}));
}

TEST(DrafterRoles, AListOfLayersComesFromTheConfiguration) {
  ConfigNode policy = named_policy(kPolicyFolder, "scalekv");
  policy.set_path("allocate.roles", ConfigNode::list({ConfigNode(1), ConfigNode(3)}));
  const Plan plan = make_plan(infinity(6, 2), policy, Budget::of_tokens(650));
  EXPECT_GT(plan.kept(8, 1, 0), plan.kept(8, 0, 0));
  EXPECT_EQ(plan.kept(8, 1, 0), plan.kept(8, 3, 1));
  policy.set_path("allocate.roles", "released_2B");
  try {
    make_policy(policy);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'released_2b'"), std::string::npos) << error.what();
  }
}

TEST(DrafterRefiner, ADrafterOfSingleTokensKeepsAllUntilTheFloorOfTheRefiners) {
  // Five refiners give up a token each only every fifth step, the drafter grows at every one.
  const CacheGeometry geometry{
      .layers = 6, .heads = 2, .head_dim = 8, .steps = next_token_steps(10, 120)};
  const auto policy =
      policy_from("{allocate: {name: drafter_refiner, roles: [1]}, score: recency}");
  const Plan plan = policy->plan(geometry, Budget::of_tokens(30));
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) continue;
    const int64_t seen = step.first_token + step.queries();
    int64_t sum = 0;
    for (int64_t layer = 0; layer < 6; ++layer) sum += plan.kept(step.index, layer, 0);
    EXPECT_EQ(sum, 6 * std::min<int64_t>(seen, 30));
    // 200/650 of the budget, 9 tokens, is the least a refiner holds: 180 - 5 * 9 are the drafter's.
    if (seen < 130) {
      EXPECT_GE(plan.kept(step.index, 1, 0), std::min<int64_t>(seen, 135) - 5);
    }
  }
}

}  // namespace
}  // namespace kvscope
