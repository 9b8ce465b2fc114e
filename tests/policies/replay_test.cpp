#include "policies/replay.h"

#include <gtest/gtest.h>

#include "policy_run.h"

namespace kvscope {
namespace {

const CacheGeometry kGeometry{
    .layers = 1, .heads = 2, .head_dim = 8, .steps = next_scale_steps({{2, 2}, {5, 5}, {6, 6}})};

/// Runs one generation under a replay of `kept` after step 1.
std::vector<DecisionComparison> replayed(Policy& policy, const KeptIndices& kept) {
  KvCache cache(policy.plan(kGeometry, Budget::of_tokens(25)), 1, at::kCPU);
  Replay replay(policy, [&](int64_t step, int64_t) {
    return step == 1 ? std::optional<KeptIndices>(kept) : std::nullopt;
  });
  AttentionContext context{.cache = cache, .controller = &replay};
  replay.begin_generation(1);
  for (const StepInfo& step : kGeometry.steps) {
    const LayerInputs in = layer_inputs(kGeometry, step, 0, {5});
    attend(context, in.at(step, 0, 0.4));
  }
  for (int64_t head = 0; head < 2; ++head) {
    EXPECT_EQ(cache.origins(0, 0, head)[0].token, kept[head][0]);  // the record takes effect
  }
  return replay.comparisons();
}

TEST(Replay, TellsIdenticalTiedAndDifferentApart) {
  const auto policy = policy_from(
      "{score: {name: window_attention, window: 4, pool: maximum, kernel: 51}, "
      "protect: window}");
  // Every pool covers all tokens before the window, so these 25 tie and the first 21 stay.
  KeptIndices kept(2);
  for (int64_t token = 0; token < 21; ++token) kept[0].push_back(token);
  for (int64_t token = 25; token < 29; ++token) kept[0].push_back(token);
  kept[1] = kept[0];
  auto found = replayed(*policy, kept);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].identical, 2);

  kept[1][20] = 23;
  found = replayed(*policy, kept);
  EXPECT_EQ(found[0].identical, 1);
  EXPECT_EQ(found[0].different(), 0);
  EXPECT_EQ(found[0].tied, 1);

  const auto newest = policy_from("{score: recency}");
  found = replayed(*newest, kept);
  EXPECT_EQ(found[0].different(), 2);
}

}  // namespace
}  // namespace kvscope
