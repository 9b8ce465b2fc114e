// What a generation allocates does not grow from step to step: the cache is one arena, and what
// attention and policies need beside it is bounded by what is kept.
#include <gtest/gtest.h>

#include <algorithm>

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

int64_t most(const std::vector<StepAllocations>& steps,
             size_t begin,
             size_t end,
             int64_t StepAllocations::*member) {
  int64_t value = 0;
  for (size_t step = begin; step < end; ++step) value = std::max(value, steps[step].*member);
  return value;
}

class Allocations : public testing::TestWithParam<std::string> {};

TEST_P(Allocations, DoNotGrowOverAGeneration) {
  const TinyModel tiny = tiny_janus({3, 10, 12, 12});
  const auto policy = make_policy(named_policy(kPolicyFolder, GetParam()));
  CacheGeometry geometry = tiny_geometry(tiny);
  geometry.line_tokens = 12;
  const Plan plan = policy->plan(geometry, Budget::of_tokens(40));
  const std::vector<StepAllocations> steps = allocations(policy.get(), plan, tiny);
  ASSERT_EQ(steps.size(), 144);
  // The budget is reached in the first half; periods of a line or 24 tokens fit into a third.
  const int64_t early = most(steps, 48, 96, &StepAllocations::kept_bytes);
  EXPECT_LE(most(steps, 96, 144, &StepAllocations::kept_bytes), early);
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    const auto held = [&](int64_t begin, int64_t end) {
      int64_t tokens = 0;
      for (int64_t step = begin; step < end; ++step) {
        tokens = std::max(tokens, plan.layer_kept(step, layer));
      }
      return tokens;
    };
    if (held(47, 95) != held(95, 143)) {
      GTEST_SKIP() << "the plan still moves tokens between layers, and what is cut with them";
    }
  }
  EXPECT_LE(most(steps, 96, 144, &StepAllocations::peak_bytes),
            most(steps, 48, 96, &StepAllocations::peak_bytes));
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
