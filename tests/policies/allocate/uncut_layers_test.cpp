#include "policies/allocate/uncut_layers.h"

#include <gtest/gtest.h>

#include "../policy_run.h"
#include "policies/allocate/even_shares.h"

namespace kvscope {
namespace {

using Tokens = std::vector<int64_t>;

TEST(EvenShares, GiveTheRemainderToTheFirst) {
  EXPECT_EQ(even_shares(14, 4, 1), (Tokens{4, 4, 3, 3}));
  EXPECT_EQ(even_shares(3, 4, 1), (Tokens{1, 1, 1, 1}));
  EXPECT_EQ(even_shares(-5, 2, 3), (Tokens{3, 3}));
  EXPECT_EQ(even_shares(9, 0, 1), Tokens{});
}

TEST(UncutLayers, TheOthersShareTheRest) {
  EXPECT_EQ(uncut_layer_tokens(5, 2, 50, 100), (Tokens{100, 100, 17, 17, 16}));
  EXPECT_EQ(uncut_layer_tokens(5, 0, 50, 100), (Tokens{50, 50, 50, 50, 50}));
  EXPECT_EQ(uncut_layer_tokens(5, 2, 100, 100), (Tokens{100, 100, 100, 100, 100}));
  EXPECT_EQ(uncut_layer_tokens(3, 2, 10, 100), (Tokens{100, 100, 1}));  // more than the budget
  EXPECT_EQ(uncut_layer_tokens(2, 7, 10, 100), (Tokens{100, 100}));
}

TEST(UncutLayers, PlanMeetsTheBudget) {
  const auto policy =
      policy_from("{allocate: {name: uncut_layers, layers: 1}, score: key_norm, protect: []}");
  const CacheGeometry geometry{
      .layers = 4, .heads = 3, .head_dim = 4, .steps = next_token_steps(3, 38)};
  const Plan plan = policy->plan(geometry, Budget::of_tokens(20));
  const int64_t last = std::ssize(geometry.steps) - 1;
  EXPECT_EQ(plan.live_tokens(last), 4 * 3 * 20);
  EXPECT_EQ(plan.kept(last, 0, 2), 40);
  EXPECT_FALSE(run_policy(*policy, plan, {0, 1}).empty());  // audited
}

}  // namespace
}  // namespace kvscope
