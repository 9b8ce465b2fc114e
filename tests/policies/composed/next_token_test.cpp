// Every YAML in configs/policy inside the generation of next-token models: padded prompts, guided
// rows, one eviction per token, the cache audited at the end.
#include <gtest/gtest.h>

#include "../budgets.h"
#include "policies/budget.h"
#include "policies/policy.h"
#include "policies/registry.h"
#include "test_paths.h"
#include "tests/core/models/next_token/tiny_models.h"
#include "tests/policies/hiding.h"

namespace kvscope::next_token {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

class NextTokenPolicy : public testing::TestWithParam<std::string> {};

TEST_P(NextTokenPolicy, RunsAsPlannedAndAnImageDoesNotDependOnItsBatch) {
  for (const TinyModel& tiny :
       {tiny_janus({3, 10, 4, 5}), tiny_llamagen({2, 12, 5, 4}, ConditionKind::kFeatures),
        tiny_llamagen({2, 12, 5, 4}, ConditionKind::kClass)}) {
    const ConfigNode config = named_policy(kPolicyFolder, GetParam());
    const auto policy = make_policy(config);
    const Plan plan =
        policy->plan(tiny_geometry(tiny), as_in_a_sweep(config, Budget::of_ratio(0.6)));
    GenerateOptions options;
    options.cfg = {3};
    const TinyRun batch = run_tiny(tiny, {0, 1, 2}, options, true, policy.get(), plan);
    for (int64_t image = 0; image < 3; ++image) {
      const TinyRun alone = run_tiny(tiny, {image}, options, true, policy.get(), plan);
      EXPECT_TRUE(at::equal(alone.generation.tokens[0], batch.generation.tokens[image]))
          << "image " << image;
    }
  }
}

TEST_P(NextTokenPolicy, AWholeBudgetChangesNothing) {
  const TinyModel tiny = tiny_janus({3, 10, 3, 4});
  const ConfigNode group = named_policy(kPolicyFolder, GetParam());
  if (hides_on_purpose(group)) GTEST_SKIP() << "hides what is there, whatever the budget";
  const auto policy = make_policy(group);
  GenerateOptions options;
  options.cfg = {3};
  const TinyRun full = run_tiny(tiny, {0, 1}, options, true);
  const TinyRun whole = run_tiny(tiny, {0, 1}, options, true, policy.get(),
                                 policy->plan(tiny_geometry(tiny), Budget::of_ratio(1)));
  EXPECT_TRUE(at::equal(full.generation.tokens, whole.generation.tokens));
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy,
                         NextTokenPolicy,
                         testing::ValuesIn(policy_names(kPolicyFolder)),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace kvscope::next_token
