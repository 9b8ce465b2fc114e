// Each difference between ScaleKV's released code and its paper is a switch: with the released
// settings the recorded tokens stay, and every switch by itself changes them.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "../budgets.h"
#include "../policy_run.h"
#include "golden_scalekv.h"
#include "policies/profiles/profile_file.h"

namespace kvscope {
namespace {

constexpr int64_t kLastStep = 8;  // two steps evict up to here

using Kept = std::map<std::pair<int64_t, int64_t>, KeptIndices>;

/// Writes down what a policy keeps.
class Notes : public CacheController {
 public:
  explicit Notes(Policy& policy) : policy_(policy) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    auto decision = policy_.decide(layer_step);
    if (decision) kept[{layer_step.step.index, layer_step.layer}] = *decision;
    return decision;
  }
  Kept kept;

 private:
  Policy& policy_;
};

struct Enough {};

using Settings = std::vector<std::pair<std::string, ConfigNode>>;

class ScaleKvSwitches : public testing::Test {
 protected:
  /// What is kept after the first two steps that the released code evicts after.
  Kept run(const Settings& settings, bool tied_rows = false) {
    ConfigNode config =
        named_policy(std::filesystem::path(kSourceDir) / "configs/policy", "scalekv");
    for (const auto& [key, value] : settings) config.set_path(key, value);
    const auto policy = make_policy(config);
    policy->tie_guidance_pairs(tied_rows);
    KvCache cache(policy->plan(golden_.geometry(), tokens_at_evictions(650)), 2, at::kCPU);
    Notes notes(*policy);
    AttentionContext context{.cache = cache, .controller = &notes};
    notes.begin_generation(cache.rows());
    try {
      golden_.generate(context, [](const infinity::StepResult& result) {
        if (result.step.index == kLastStep) throw Enough();
      });
    } catch (const Enough&) {
    }
    return notes.kept;
  }

  GoldenScaleKv golden_;
};

const std::pair<std::string, ConfigNode> kReleased = {"allocate.budgets", "released_2b"};

TEST_F(ScaleKvSwitches, ReleasedSettingsKeepTheRecordedTokens) {
  const Kept kept = run({kReleased});
  ASSERT_EQ(kept.size(), 8u);
  int64_t heads = 0;
  int64_t identical = 0;
  for (int64_t layer = 0; layer < golden_.config.depth; ++layer) {  // step 7: the same cache
    const KeptIndices recorded = *golden_.recorded(7, layer);
    for (std::size_t slot = 0; slot < recorded.size(); ++slot) {
      ++heads;
      identical += kept.at({7, layer})[slot] == recorded[slot] ? 1 : 0;
    }
  }
  EXPECT_GE(identical, heads - 1)
      << "at most the one set whose last token falls among equal scores, see "
         "golden_scalekv_test.cpp";
  EXPECT_TRUE(run({kReleased, {"score.grid", "square_1m"}}) == kept)
      << "on a square image the released grid is the scale's own";
}

TEST_F(ScaleKvSwitches, EverySwitchOfTheScoreChangesTheTokens) {
  const Kept expected = run({kReleased});
  const Settings switches = {{"score.softmax", "all"},            // 1
                             {"score.query", "used"},             // 2
                             {"score.pool", "average"},           // 3
                             {"score.kernel", 7},                 // 3
                             {"score.pooled_window", "counted"},  // 3
                             {"score.window", 9},                 // 5
                             {"score.centre", "lower_right"},     // 5
                             {"score.centre", "spread"},          // 5
                             {"score.candidates", "past"},        // 6
                             {"score.granularity", "layer"}};     // 7
  for (const auto& one : switches) {
    const Kept kept = run({kReleased, one});
    ASSERT_EQ(kept.size(), expected.size()) << one.first;
    EXPECT_FALSE(kept == expected) << one.first;
    for (const auto& [where, indices] : kept) {
      EXPECT_EQ(indices.front().size(), expected.at(where).front().size()) << one.first;
    }
  }
  EXPECT_FALSE(run({kReleased}, true) == expected) << "rows of a guidance pair together: 14";
}

TEST_F(ScaleKvSwitches, EverySwitchOfTheBudgetsChangesTheTokens) {
  const Kept expected = run({kReleased});
  EXPECT_FALSE(run({kReleased, {"allocate.window", "on_top"}}) == expected);  // 4
  EXPECT_EQ((run({kReleased, {"allocate.window", "on_top"}}).at({7, 1}).front().size()), 648u);
  const Kept later = run({kReleased, {"allocate.threshold", 1000}});  // 10
  EXPECT_FALSE(later.contains({7, 1}));
  EXPECT_TRUE(later.contains({8, 1}));

  const Kept rule = run({});  // 12: the rule for four layers instead of the table of 32
  EXPECT_FALSE(rule == expected);
  EXPECT_FALSE(run({{"allocate.refiner_floor_fraction", 0.9}}) == rule);
  EXPECT_FALSE(run({{"allocate.roles", ConfigNode::list({1})}}) == rule);  // 8
  const Kept linear = run({{"allocate.budgets", "linear"},                 // 11
                           {"allocate.roles", ConfigNode::list({0, 1, 2})}});
  EXPECT_FALSE(linear == run({{"allocate.roles", ConfigNode::list({0, 1, 2})}}));
  EXPECT_FALSE(linear == run({{"allocate.budgets", "linear"},
                              {"allocate.refiner_decay", 0.2},
                              {"allocate.roles", ConfigNode::list({0, 1, 2})}}));
}

TEST_F(ScaleKvSwitches, CalibratedRolesOfEveryScaleDifferFromTheSameEverywhere) {  // 8, 9
  Profile file{.kind = ProfileKind::kRoles,
               .model = "tiny",
               .shape = {.layers = 4, .heads = 4, .steps = 13, .next_token = false},
               .metric = {.name = "selectivity"}};
  for (int64_t step = 1; step < 13; ++step) {  // layer 2 drafts up to step 8, layer 3 from 9 on
    const bool early = step <= 8;
    file.scales.push_back({.first_step = step,
                           .last_step = step,
                           .drafters = {early ? 2 : 3},
                           .selectivity = {0.4, 0.3, 0.2, 0.1},
                           .z_score = {1, 0.5, early ? -1.0 : 0.0, early ? 0.0 : -1.0}});
  }
  const auto path = std::filesystem::temp_directory_path() / "kvscope-switches-roles.yaml";
  write_profile(path, file);
  const Kept by_file = run({{"allocate.roles", path.string()}});
  EXPECT_EQ(by_file.at({7, 2}).front().size(), 920u);  // of 921; the others 560 each
  EXPECT_EQ(by_file.at({7, 3}).front().size(), 560u);
  EXPECT_EQ(by_file.at({8, 2}).front().size(), 488u);
  EXPECT_FALSE(by_file.contains({8, 3})) << "keeps all of the 560 + 576 that it has";
  ConfigNode always = ConfigNode::map();
  always.set("file", path.string());
  always.set("per", "generation");
  const Kept same = run({{"allocate.roles", always}});
  EXPECT_FALSE(same == by_file);
  ConfigNode more = ConfigNode::map();
  more.set("file", path.string());
  more.set("drafters", 24);
  EXPECT_FALSE(run({{"allocate.roles", more}}) == by_file);
  std::filesystem::remove(path);
}

TEST_F(ScaleKvSwitches, TheLastScaleIsKeptOnlyWhereItIsStored) {  // 13
  CacheGeometry geometry = golden_.geometry();
  ConfigNode config = named_policy(std::filesystem::path(kSourceDir) / "configs/policy", "scalekv");
  config.set_path(kReleased.first, kReleased.second);
  const auto policy = make_policy(config);
  const Plan stored = policy->plan(geometry, tokens_at_evictions(650));
  geometry.steps.back().stored = false;
  const Plan plain = policy->plan(geometry, tokens_at_evictions(650));
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    ASSERT_TRUE(golden_.recorded(12, layer).has_value());
    EXPECT_EQ(stored.kept(12, layer, 0), std::ssize(golden_.recorded(12, layer)->front()));
    EXPECT_EQ(plain.kept(12, layer, 0), plain.kept(11, layer, 0));
  }
  EXPECT_EQ(stored.live_tokens(11), plain.live_tokens(11));
}

}  // namespace
}  // namespace kvscope
