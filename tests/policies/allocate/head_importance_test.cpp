// What the planner makes of HeadKV's capacities.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "../policy_run.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

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
