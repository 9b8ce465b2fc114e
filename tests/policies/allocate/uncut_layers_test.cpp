#include <gtest/gtest.h>

#include "../policy_run.h"

namespace kvscope {
namespace {

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
