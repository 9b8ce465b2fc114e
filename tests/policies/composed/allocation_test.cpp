// What a generation allocates does not grow from step to step: the cache is one arena, and what
// attention and policies need beside it is bounded by what is kept.
#include <gtest/gtest.h>

#include <algorithm>

#include "../budgets.h"
#include "core/device/allocation_meter.h"
#include "policies/registry.h"
#include "test_paths.h"
#include "tests/core/models/next_token/tiny_models.h"

namespace kvscope::next_token {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

/// What LibTorch allocated in a step: the most at once beyond what was there, and what stayed.
struct StepAllocations {
  int64_t peak_bytes = 0;
  int64_t kept_bytes = 0;
};

std::vector<StepAllocations> allocations(CacheController* controller,
                                         const Plan& plan,
                                         const TinyModel& tiny) {
  const Condition condition = tiny.condition({0, 1}, true);
  KvCache cache(plan, condition.embeddings.size(0), at::kCPU);
  AttentionContext context{.cache = cache, .controller = controller};
  std::vector<at::Generator> generators;
  for (uint64_t image = 0; image < 2; ++image) {
    generators.push_back(at::detail::createCPUGenerator(image));
  }
  GenerateOptions options;
  options.cfg = {3};
  std::vector<StepAllocations> steps;
  const int64_t arena = cache.allocated_bytes();
  AllocationMeter meter(at::kCPU);
  int64_t kept_before = 0;
  generate(tiny.model, condition, options, generators, context, [&](const StepResult&) {
    steps.push_back(
        {.peak_bytes = meter.peak_bytes() - kept_before, .kept_bytes = meter.live_bytes()});
    kept_before = meter.live_bytes();
    meter.restart_peak();
    EXPECT_EQ(cache.allocated_bytes(), arena);
  });
  return steps;
}

/// The most of a stretch of a generation.
struct Stretch {
  int64_t kept_bytes = 0;
  int64_t peak_bytes = 0;
  int64_t held_tokens = 0;  // by the fullest layer as a step began
  double peak_bytes_of_a_token = 0;
};

Stretch stretch(const std::vector<StepAllocations>& steps,
                const Plan& plan,
                int64_t begin,
                int64_t end) {
  Stretch most;
  for (int64_t step = begin; step < end; ++step) {
    int64_t held = 0;
    for (int64_t layer = 0; layer < plan.geometry().layers; ++layer) {
      held = std::max(held, plan.layer_kept(step - 1, layer));
    }
    const auto [peak, kept] = steps[static_cast<size_t>(step)];
    most.kept_bytes = std::max(most.kept_bytes, kept);
    most.peak_bytes = std::max(most.peak_bytes, peak);
    most.held_tokens = std::max(most.held_tokens, held);
    most.peak_bytes_of_a_token =
        std::max(most.peak_bytes_of_a_token, static_cast<double>(peak) / static_cast<double>(held));
  }
  return most;
}

class Allocations : public testing::TestWithParam<std::string> {};

TEST_P(Allocations, DoNotGrowOverAGeneration) {
  const TinyModel tiny = tiny_janus({3, 10, 12, 12});
  const auto policy = make_policy(named_policy(kPolicyFolder, GetParam()));
  CacheGeometry geometry = tiny_geometry(tiny);
  geometry.line_tokens = 12;
  const Plan plan = policy->plan(geometry, tokens_at_evictions(40));
  const std::vector<StepAllocations> steps = allocations(policy.get(), plan, tiny);
  ASSERT_EQ(steps.size(), 144);
  // The budget is reached in the first half; periods of a line or 24 tokens fit into a third.
  const Stretch early = stretch(steps, plan, 48, 96);
  const Stretch late = stretch(steps, plan, 96, 144);
  EXPECT_LE(late.kept_bytes, early.kept_bytes);
  // A peak grows with the tokens that the plan still moves to a layer, and with nothing else.
  EXPECT_LE(late.peak_bytes_of_a_token, early.peak_bytes_of_a_token);
  if (late.held_tokens <= early.held_tokens) {
    EXPECT_LE(late.peak_bytes, early.peak_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy,
                         Allocations,
                         testing::ValuesIn(policy_names(kPolicyFolder)),
                         [](const auto& name) { return name.param; });

TEST(FullCacheAllocations, OfEveryStepOfAFullCacheAreTheSame) {
  const TinyModel tiny = tiny_janus({3, 10, 6, 7});
  const auto full = full_plan(tiny_geometry(tiny));
  const std::vector<StepAllocations> steps = allocations(nullptr, full, tiny);
  for (size_t step = 2; step + 1 < steps.size(); ++step) {
    EXPECT_EQ(steps[step].kept_bytes, steps[1].kept_bytes) << "step " << step;
    EXPECT_EQ(steps[step].peak_bytes, steps[1].peak_bytes) << "step " << step;
  }
}

}  // namespace
}  // namespace kvscope::next_token
