// What every component of `read` promises, with policies that evict and policies that do not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../policy_run.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

/// Every component, mask with something to hide.
std::vector<std::string> reads() {
  std::vector<std::string> found;
  for (const ComponentInfo& part : policy_components()) {
    if (part.slot == "read") found.push_back(part.name);
  }
  found.emplace_back("{name: mask, heads: 0, steps: all}");
  found.emplace_back("{name: mask, layers: [1], steps: [1, 3-4], sinks: 2}");
  found.emplace_back("{name: mask, text: true}");
  found.emplace_back("{name: mask, steps: all, from_steps: [2, 4]}");
  found.emplace_back("{name: diagonal, attended_tokens: 3}");
  return found;
}

CacheGeometry geometry(const std::string& name) {
  CacheGeometry made{.layers = 2, .heads = 3, .head_dim = 6};
  made.steps = name == "scales" ? next_scale_steps({{1, 1}, {2, 3}, {4, 5}, {5, 7}, {6, 6}})
                                : next_token_steps(5, 26);
  if (name == "groups") made.query_heads = 2 * made.heads;
  return made;
}

struct Planned {
  std::unique_ptr<Policy> policy;
  Plan plan;
};

/// A policy with the component for each kind of eviction and model that it goes with.
std::vector<Planned> runs_of(const std::string& read) {
  std::vector<Planned> runs;
  for (const char* rest : {"score: recency, protect: {name: sinks, sink_tokens: 1}",
                           "score: accumulated_attention", "allocate: full"}) {
    const bool keeps_all = std::string(rest) == "allocate: full";
    for (const char* name : {"scales", "tokens", "groups"}) {
      Planned run;
      try {
        run.policy = policy_from(fmt::format("{{{}, read: {}}}", rest, read));
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("counts on the newest tokens"));
        continue;
      }
      run.plan = run.policy->plan(geometry(name), Budget::of_ratio(keeps_all ? 1 : 0.5));
      runs.push_back(std::move(run));
    }
  }
  EXPECT_GE(runs.size(), 6);
  return runs;
}

class ReadContract : public testing::TestWithParam<std::string> {};

/// run_policy() audits what is held after every step, and the bytes at the peak against their
/// closed form.
TEST_P(ReadContract, HoldsWhatIsPlannedHoweverItIsStored) {
  for (const Planned& run : runs_of(GetParam())) {
    const auto per_layer = run_policy(*run.policy, run.plan, {0, 1});
    const auto per_step =
        run_policy(*run.policy, run.plan, {0, 1}, {}, 0, EvictionTiming::kPerStep);
    ASSERT_EQ(per_layer.size(), per_step.size());
    for (std::size_t i = 0; i < per_layer.size(); ++i) {
      EXPECT_EQ(per_layer[i].positions, per_step[i].positions) << "step " << per_layer[i].step;
    }
  }
}

TEST_P(ReadContract, ARowDoesNotDependOnItsBatchAndAGenerationOnTheLast) {
  for (const Planned& run : runs_of(GetParam())) {
    const auto both = run_policy(*run.policy, run.plan, {3, 1});
    const auto alone = run_policy(*run.policy, run.plan, {1});
    const auto heads = static_cast<std::size_t>(run.plan.geometry().heads);
    ASSERT_EQ(both.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(both[i].positions.size(), 2 * alone[i].positions.size());
      for (std::size_t slot = 0; slot < alone[i].positions.size(); ++slot) {
        EXPECT_EQ(both[i].positions[heads + slot], alone[i].positions[slot]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryRead, ReadContract, testing::ValuesIn(reads()));

}  // namespace
}  // namespace kvscope
