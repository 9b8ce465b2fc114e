// Ada-KV in whole generations.
#include <gtest/gtest.h>

#include <algorithm>

#include "../policy_run.h"

namespace kvscope {
namespace {

/// Shares of the heads in whole generations: sums exact, floors kept, heads really ragged.
void check_generations(const std::string& rule, const std::string& weight) {
  constexpr int64_t kBudget = 12;
  const auto policy = policy_from(
      "{allocate: {name: adaptive, floor: 0.5, floor_rule: " + rule + ", weight: " + weight +
      "}, score: {name: window_attention, window: 4, pool: maximum, kernel: 3}, protect: window}");
  CacheGeometry geometry{.layers = 2, .heads = 3, .head_dim = 6, .steps = next_token_steps(7, 31)};
  for (const bool scales : {false, true}) {
    if (scales) geometry.steps = next_scale_steps({{1, 1}, {2, 3}, {4, 5}, {5, 7}, {6, 6}});
    int64_t ragged = 0;
    for (const Decision& decision :
         run_policy(*policy, policy->plan(geometry, Budget::of_tokens(kBudget)), {0, 1, 2})) {
      if (!decision.kept) continue;
      for (std::size_t first = 0; first < decision.kept->size(); first += 3) {
        int64_t sum = 0;
        int64_t most = 0;
        for (std::size_t slot = first; slot < first + 3; ++slot) {
          const int64_t count = std::ssize((*decision.kept)[slot]);
          sum += count;
          most = std::max(most, count);
          // The window and half of the even share of the rest, which rounding may touch.
          EXPECT_GE(count, std::min(decision.available[slot], 4 + (kBudget - 4) / 2));
        }
        EXPECT_EQ(sum, 3 * kBudget);
        if (most > kBudget) ++ragged;
      }
    }
    EXPECT_GT(ragged, 5) << rule;
  }
}

TEST(AllocateAdaptive, SharesALayersTokensExactly) {
  for (const char* rule : {"blend", "safeguard"}) {
    for (const char* weight : {"top_share", "none"}) check_generations(rule, weight);
  }
}

}  // namespace
}  // namespace kvscope
