// What every component of `read` promises, with policies that evict and policies that do not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "../policy_run.h"

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

using Case = std::tuple<std::string, std::string, std::string>;  // read, rest of policy, geometry

class ReadContract : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto& [read, rest, name] = GetParam();
    policy_ = policy_from(fmt::format("{{{}, read: {}}}", rest, read));
    plan_ = policy_->plan(geometry(name), Budget::of_ratio(rest == "allocate: full" ? 1 : 0.5));
  }
  std::unique_ptr<Policy> policy_;
  Plan plan_;
};

/// run_policy() audits what is held after every step, and the bytes at the peak against their
/// closed form.
TEST_P(ReadContract, HoldsWhatIsPlannedHoweverItIsStored) {
  const auto together = run_policy(*policy_, plan_, {0, 1});
  const auto per_step = run_policy(*policy_, plan_, {0, 1}, {}, 0, EvictionTiming::kPerStep);
  ASSERT_EQ(together.size(), per_step.size());
  for (std::size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i].positions, per_step[i].positions) << "step " << together[i].step;
  }
}

TEST_P(ReadContract, ARowDoesNotDependOnItsBatchAndAGenerationOnTheLast) {
  const auto both = run_policy(*policy_, plan_, {3, 1});
  const auto alone = run_policy(*policy_, plan_, {1});
  const auto heads = static_cast<std::size_t>(plan_.geometry().heads);
  ASSERT_EQ(both.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_EQ(both[i].positions.size(), 2 * alone[i].positions.size());
    for (std::size_t slot = 0; slot < alone[i].positions.size(); ++slot) {
      EXPECT_EQ(both[i].positions[heads + slot], alone[i].positions[slot]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryRead,
    ReadContract,
    testing::Combine(testing::ValuesIn(reads()),
                     testing::Values("score: recency, protect: {name: sinks, sink_tokens: 1}",
                                     "score: accumulated_attention",
                                     "allocate: full"),
                     testing::Values("scales", "tokens", "groups")));

}  // namespace
}  // namespace kvscope
