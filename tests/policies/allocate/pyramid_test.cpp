// PyramidKV's schedules against what they promise.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "../policy_run.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(Pyramid, LowerLayersKeepMoreAndTheMeanFitsTheBudget) {
  const CacheGeometry geometry{.layers = 5,
                               .heads = 3,
                               .head_dim = 8,
                               .steps = next_scale_steps({{1, 1}, {5, 5}, {9, 9}, {12, 12}})};
  for (const char* form : {"integers", "doubles"}) {
    const auto policy =
        policy_from(std::string("{allocate: {name: pyramid, beta: 10, form: ") + form +
                    "}, score: {name: window_attention, window: 4}, protect: {name: window}}");
    Budget budget = Budget::of_tokens(40);
    budget.moment = BudgetMoment::kEnd;
    const Plan plan = policy->plan(geometry, budget);
    int64_t total = 0;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      total += plan.kept(2, layer, 0);
      if (layer > 0) {
        EXPECT_LT(plan.kept(2, layer, 1), plan.kept(2, layer - 1, 1));
      }
      EXPECT_EQ(plan.kept(1, layer, 0), 26);  // fewer tokens than the budget: no eviction
    }
    EXPECT_LE(total, 40 * 5);
    EXPECT_GE(total, 38 * 5);
  }
  EXPECT_THROW((void)policy_from("{allocate: {name: pyramid, beta: 2.5}}"), Error);
  EXPECT_NO_THROW((void)policy_from("{allocate: {name: pyramid, beta: 2.5, form: doubles}}"));
}

}  // namespace
}  // namespace kvscope
