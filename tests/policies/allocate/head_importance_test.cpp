// HeadKV's capacities against the rule, and what the planner makes of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/allocate/head_capacity.h"

namespace kvscope {
namespace {

TEST(FloorDivision, IsExactWhereAQuotientOfDoublesRoundsUp) {
  EXPECT_EQ(floor_division(64, 1.01), 63);
  EXPECT_EQ(floor_division(1, 0.1), 9);  // 0.1 is above a tenth, yet 1 / 0.1 is 10
  EXPECT_EQ(floor_division(6, 2), 3);
  EXPECT_EQ(floor_division(0, 2), 0);
}

TEST(HeadCapacities, ShareThePoolByImportance) {
  // C // beta = 20, so each head has 20 of its own and four times 20 are shared.
  const auto capacity = head_capacities({{1, 3}, {0, 4}}, 40, 2);
  EXPECT_EQ(capacity, (std::vector<std::vector<int64_t>>{{30, 50}, {20, 60}}));
  const auto even = head_capacities({{2, 2, 2}, {2, 2, 2}}, 17, 1.01);
  EXPECT_EQ(even, (std::vector<std::vector<int64_t>>{{17, 17, 17}, {17, 17, 17}}));
}

constexpr const char* kRest =
    ", score: {name: window_attention, window: 4}, protect: {name: window}}";

CacheGeometry geometry() {
  return {.layers = 2,
          .heads = 3,
          .head_dim = 8,
          .steps = next_scale_steps({{1, 1}, {5, 5}, {9, 9}, {12, 12}})};
}

TEST(HeadImportance, AddsTheWindowToEveryHeadWithinTheBudget) {
  const auto policy = policy_from(
      fmt::format("{{allocate: {{name: head_importance, beta: 1.01, importance: [[1, 0, 2], [0.5, "
                  "0.5, 2]]}}{}",
                  kRest));
  const Plan plan = policy->plan(geometry(), Budget::of_tokens(24));
  // 20 to share a head: 19 by importance, 1 its own: 19 * 6 * 1/6 + 1 = 20, then 1, 39, 10.5 -> 10.
  const std::vector<std::vector<int64_t>> expected = {{24, 5, 43}, {14, 14, 43}};
  int64_t total = 0;
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t head = 0; head < 3; ++head) {
      EXPECT_EQ(plan.kept(2, layer, head), expected[layer][head]);
      total += plan.kept(2, layer, head);
    }
  }
  EXPECT_LE(total, 24 * 6);
}

TEST(HeadImportance, IsUniformWithoutATable) {
  const auto policy = policy_from(fmt::format("{{allocate: head_importance{}", kRest));
  const Plan plan = policy->plan(geometry(), Budget::of_tokens(24));
  EXPECT_EQ(plan.kept(2, 1, 2), 24);
}

TEST(HeadImportance, RefusesTablesOfOtherModelsAndNegativeImportance) {
  for (const char* table :
       {"[[1, 2], [3, 4]]", "[[1, 2, 3]]", "[[1, -1, 2], [1, 1, 1]]", "[[0, 0, 0], [0, 0, 0]]"}) {
    const auto policy = policy_from(std::string("{allocate: {name: head_importance, importance: ") +
                                    table + "}" + kRest);
    EXPECT_THROW((void)policy->plan(geometry(), Budget::of_tokens(24)), Error) << table;
  }
}

}  // namespace
}  // namespace kvscope
