#include "core/models/shared/step_loop.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/models/shared/cache_geometry.h"

namespace kvscope {
namespace {

const AttentionShape kShape{.layers = 1, .heads = 2, .query_heads = 4, .head_dim = 8};

/// Attends once per step with random queries and notes the steps.
struct Model {
  std::vector<int64_t> steps = {};

  void run(const StepInfo& step, const SelfAttention& attend, int64_t rows) {
    const auto random = [&](int64_t heads) {
      return at::randn({rows, heads, step.queries(), kShape.head_dim});
    };
    const at::Tensor out = attend(0, random(4), random(2), random(2), at::Tensor(), at::Tensor());
    EXPECT_EQ(out.sizes(), at::IntArrayRef({rows, 4, step.queries(), kShape.head_dim}));
    steps.push_back(step.index);
  }
};

TEST(StepLoop, ATokenThatNobodyReadsIsNotComputedAndTheLastScaleIs) {
  for (const bool tokens : {true, false}) {
    const auto steps = tokens ? next_token_steps(3, 4)
                              : next_scale_steps({{1, 1}, {1, 2}, {2, 2}, {2, 3}, {3, 3}});
    ASSERT_EQ(steps.size(), 5u);
    KvCache cache(full_plan(cache_geometry(kShape, steps)), 2, at::kCPU);
    AttentionContext context{.cache = cache};
    Model model;
    std::vector<double> seen;
    const GenerationTimes times = run_steps(
        context, {.step = [&](const StepInfo& step,
                              const SelfAttention& attend) { model.run(step, attend, 2); },
                  .after =
                      [&](const StepInfo& step, const StepTimes& of_step) {
                        EXPECT_EQ(model.steps.back(), step.index);
                        EXPECT_GE(of_step.step_ms, of_step.attention_ms);
                        seen.push_back(of_step.step_ms);
                      }});
    EXPECT_EQ(model.steps.size(), tokens ? 4u : 5u);
    ASSERT_EQ(times.step_ms.size(), 5u);
    EXPECT_EQ(times.step_ms.back() == 0, tokens);
    seen.resize(5, 0);
    EXPECT_EQ(seen, times.step_ms);
    EXPECT_EQ(cache.length(0, 1, 1), full_cache_tokens(steps));
  }
}

TEST(StepLoop, BeginsFromAnEmptyCacheWithPaddingAndRotation) {
  const auto steps = next_token_steps(3, 2);
  KvCache cache(full_plan(cache_geometry(kShape, steps)), 2, at::kCPU);
  AttentionContext context{.cache = cache};
  Model model;
  for (const int64_t padding : {2, 0}) {
    StepLoop loop{.padding = {0, padding},
                  .softmax_scale = 0.3,
                  .step = [&](const StepInfo& step, const SelfAttention& attend) {
                    EXPECT_EQ(cache.padding(1), padding);
                    EXPECT_EQ(context.rotation.has_value(), padding > 0);
                    model.run(step, attend, 2);
                  }};
    if (padding > 0) loop.rotation = RotationTable{};
    run_steps(context, loop);
    EXPECT_EQ(cache.length(0, 0, 0), 4);
  }
}

TEST(CacheGeometry, TakesTheShapeTheStepsAndTheTypes) {
  const CacheGeometry geometry =
      cache_geometry(kShape, next_token_steps(3, 2), {.key = at::kBFloat16, .step = at::kBFloat16});
  EXPECT_EQ(geometry.heads, 2);
  EXPECT_EQ(geometry.query_heads, 4);
  EXPECT_EQ(geometry.token_bytes(), 8 * (2 + 4));
  EXPECT_EQ(geometry.step_type, at::kBFloat16);
  EXPECT_EQ(cache_geometry({.layers = 1, .heads = 3, .head_dim = 2}, {}).query_heads, 3);
}

}  // namespace
}  // namespace kvscope
