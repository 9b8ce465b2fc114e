// LineAR and AMS-KV against their rules, run through the whole policy.
#include <gtest/gtest.h>

#include "../budgets.h"
#include "../naive_run.h"

namespace kvscope {
namespace {

CacheGeometry token_geometry() {
  CacheGeometry geometry{.layers = 2, .heads = 2, .head_dim = 6, .steps = next_token_steps(5, 42)};
  geometry.line_tokens = 6;
  return geometry;
}

CacheGeometry scale_geometry() {
  return {.layers = 3,
          .heads = 2,
          .head_dim = 6,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 5}, {4, 6}, {5, 9}, {7, 7}, {3, 3}})};
}

constexpr const char* kLinear =
    "{score: {name: line_attention, lines: 1}, protect: [text, {name: anchors, anchor_tokens: 3}, "
    "{name: recent_lines, lines: 2}], schedule: each_line}";

std::vector<double> attention_of(const NaiveView& view, int64_t queries) {
  std::vector<double> scores(view.tokens.size(), 0.0);
  const int64_t end = view.step.first_token + view.step.queries();
  for (int64_t query = std::max<int64_t>(end - queries, 0); query < end; ++query) {
    const auto weights = view.attention(query);
    for (std::size_t j = 0; j < scores.size(); ++j) scores[j] += weights[j];
  }
  return scores;
}

TEST(Linear, EvictsTheMiddleByTheLastLinesAttention) {
  const auto policy = policy_from(kLinear);
  const NaiveRule rule = [](const NaiveView& view) {
    const int64_t end = view.step.first_token + view.step.queries();
    return naive_best(view, attention_of(view, 6),
                      [&](int64_t token) { return token < 5 + 3 || token >= end - 12; });
  };
  EXPECT_GT(
      expect_same_as_naive(*policy, token_geometry(), tokens_at_evictions(24), {0, 7, 3}, rule),
      20);
}

TEST(Linear, InANextScaleModelTheLastLinesOfAScaleLook) {
  const auto policy = policy_from(kLinear);
  const NaiveRule rule = [](const NaiveView& view) {
    const int64_t end = view.step.first_token + view.step.queries();
    const int64_t width = view.step.grid_width;
    const int64_t lines = std::min<int64_t>(2, view.step.grid_height);
    return naive_best(view, attention_of(view, width),
                      [&](int64_t token) { return token < 3 || token >= end - lines * width; });
  };
  EXPECT_GT(expect_same_as_naive(*policy, scale_geometry(), Budget::of_tokens(31), {1, 2}, rule),
            20);
}

TEST(Linear, HoldsTheBudgetAndTheLineThatIsDrawn) {
  const auto policy = policy_from(kLinear);
  const Plan plan = policy->plan(token_geometry(), tokens_at_evictions(24));
  for (const StepInfo& step : token_geometry().steps) {
    if (!step.stored || step.first_token < 24) continue;
    const int64_t behind_the_eviction = (step.first_token + 1 - 5) % 6;
    const int64_t expected = std::min(step.first_token + 1, 24 + behind_the_eviction);
    EXPECT_EQ(plan.kept(step.index, 0, 1), expected) << step.index;
  }
}

TEST(AmsKv, KeepsTheCoarsestScalesAndTheNewestOnes) {
  const auto policy = policy_from(
      "{allocate: {name: scale_fifo, large_layers: [1], ratio: 3}, score: {name: scale_fifo, "
      "partial: newest}, protect: {name: coarsest_scales, scales: 2}}");
  const NaiveRule rule = [](const NaiveView& view) {
    std::vector<double> scores(view.tokens.begin(), view.tokens.end());
    return naive_best(view, scores, [](int64_t token) { return token < 5; });
  };
  EXPECT_GT(expect_same_as_naive(*policy, scale_geometry(), Budget::of_tokens(40), {0, 1}, rule),
            20);
  const Plan plan = policy->plan(scale_geometry(), Budget::of_tokens(40));
  // C_min = 3 * 40 / (3 + 2), C_max = 3 C_min.
  EXPECT_EQ(plan.kept(5, 0, 0), 24);
  EXPECT_EQ(plan.kept(5, 1, 1), 72);
  EXPECT_EQ(plan.kept(5, 2, 0), 24);
}

TEST(AmsKv, AScaleThatStaysInPartStaysSpread) {
  const auto policy =
      policy_from("{score: {name: scale_fifo, partial: spread}, protect: coarsest_scales}");
  CacheGeometry geometry = scale_geometry();
  geometry.steps = next_scale_steps({{1, 1}, {2, 2}, {8, 8}, {3, 3}});
  const Plan plan = policy->plan(geometry, Budget::of_tokens(5 + 16));
  const std::vector<Decision> decisions = run_policy(*policy, plan, {0});
  const std::vector<int64_t>& kept = decisions.back().kept.value().front();
  ASSERT_EQ(kept.size(), 21U);
  // A quarter of an 8 x 8 scale: one token of every 2 x 2 block.
  std::vector<int64_t> blocks(16, 0);
  for (const int64_t index : kept) {
    if (index < 5) continue;
    const int64_t y = (index - 5) / 8;
    const int64_t x = (index - 5) % 8;
    ++blocks[(y / 2) * 4 + x / 2];
  }
  EXPECT_EQ(blocks, std::vector<int64_t>(16, 1));
}

TEST(AmsKv, SimilarityChoosesTheLargeLayers) {
  const auto policy = policy_from(
      "{allocate: {name: scale_fifo, similarity: [-9.5, -0.5, -3], threshold: -2.5, ratio: 2}, "
      "score: {name: scale_fifo}, protect: coarsest_scales}");
  const Plan plan = policy->plan(scale_geometry(), Budget::of_tokens(30));
  EXPECT_EQ(plan.kept(5, 0, 0), 36);
  EXPECT_EQ(plan.kept(5, 1, 0), 18);
  EXPECT_EQ(plan.kept(5, 2, 0), 36);
}

TEST(AmsKv, OnNextTokenModelsTheTextAndTheNewestStay) {
  const auto policy =
      policy_from("{score: scale_fifo, protect: {name: coarsest_scales, scales: 2}}");
  const NaiveRule rule = [](const NaiveView& view) {
    std::vector<double> scores(view.tokens.begin(), view.tokens.end());
    return naive_best(view, scores, [](int64_t token) { return token < 5; });
  };
  EXPECT_GT(expect_same_as_naive(*policy, token_geometry(), Budget::of_tokens(12), {0}, rule), 20);
}

}  // namespace
}  // namespace kvscope
