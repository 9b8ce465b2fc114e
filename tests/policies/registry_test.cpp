#include "policies/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policy_run.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";

std::string refusal(const std::string& text) {
  try {
    make_policy(yaml(text));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    return error.what();
  }
  return "accepted";
}

TEST(Registry, NamesEveryYamlAndEveryComponent) {
  EXPECT_THAT(
      policy_names(kPolicyFolder),
      testing::IsSupersetOf({"full", "sliding_window", "streaming_llm", "snapkv", "scalekv"}));
  for (const std::string& name : policy_names(kPolicyFolder)) {
    EXPECT_EQ(make_policy(named_policy(kPolicyFolder, name))->name(), name);
    EXPECT_NE(named_policy(kPolicyFolder, name).child("summary"), nullptr) << name;
  }
  for (const ComponentInfo& component : policy_components()) {
    EXPECT_FALSE(component.summary.empty()) << component.name;
    // Every component works on its defaults, a score that goes by kinds of heads beside who tells
    // them.
    std::string policy = component.slot + ": {name: '" + component.name + "'}";
    if (component.name == "spatial_semantic") policy += "\nallocate: head_type";
    if (component.slot == "score" && component.name == "head_pattern")
      policy += "\nallocate: head_pattern";
    EXPECT_EQ(refusal(policy), "accepted") << component.name;
  }
}

TEST(Registry, TellsTheOptionsOfEveryComponent) {
  const auto chosen =
      chosen_components(yaml("{allocate: uniform, score: {name: window_attention, window: 3}, "
                             "protect: [{name: sinks}, {name: recent}], schedule: each_scale}"));
  std::vector<std::string> where;
  for (const ChosenComponent& component : chosen)
    where.push_back(component.where + " " + component.info.name);
  EXPECT_EQ(where, (std::vector<std::string>{
                       "policy.allocate uniform", "policy.score window_attention",
                       "policy.protect.0 sinks", "policy.protect.1 recent", "policy.store as_is",
                       "policy.schedule each_scale", "policy.read all"}));
  ASSERT_FALSE(chosen[1].options.empty());
  EXPECT_EQ(chosen[1].options.front().key, "policy.score.window");
  EXPECT_EQ(describe(chosen[1].options.front()), "int, at least 1, queries, default 16");
}

TEST(Registry, RefusesAComponentOfATakenName) {
  ComponentRegistry registry;
  const ComponentInfo taken{.name = "recency"};
  try {
    registry.add(taken, static_cast<MakeComponent<Score>*>(nullptr));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'recency' exists already"));
  }
  registry.add(taken, static_cast<MakeComponent<Protect>*>(nullptr));  // another slot
  EXPECT_EQ(registry.components().size(), policy_components().size() + 1);
}

TEST(Registry, SuggestsTheNearest) {
  try {
    named_policy(kPolicyFolder, "snapvk");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("'snapkv'"));
  }
  EXPECT_THAT(refusal("scor: recency"), HasSubstr("'policy.score'"));
  EXPECT_THAT(refusal("score: {name: window_atention}"), HasSubstr("'window_attention'"));
  EXPECT_THAT(refusal("score: {name: window_attention, windw: 3}"),
              HasSubstr("'policy.score.window'"));
  EXPECT_THAT(refusal("protect: [{name: sinks}, {name: recents}]"), HasSubstr("policy.protect.1"));
  EXPECT_THAT(refusal("protect: {name: sinks, sink_tokens: -1}"),
              HasSubstr("nearest feasible: policy.protect.sink_tokens=0"));
  EXPECT_THAT(refusal("score: {name: window_attention, kernel: 4}"), HasSubstr("nearest feasible"));
  EXPECT_THAT(refusal("score: {window: 3}"), HasSubstr("name of a component"));
  EXPECT_THAT(refusal("recency"), HasSubstr("six slots"));
}

TEST(Registry, SlotsLeftOutAreNeutral) {
  const CacheGeometry geometry{.layers = 2,
                               .heads = 2,
                               .head_dim = 4,
                               .steps = next_scale_steps({{1, 1}, {3, 3}, {4, 5}, {5, 5}})};
  auto policy = policy_from("name: nothing");
  const Plan plan = policy->plan(geometry, Budget::of_tokens(12));
  EXPECT_EQ(plan.kept(1, 0, 0), 10);
  EXPECT_EQ(plan.kept(2, 1, 1), 12);
  EXPECT_EQ(plan.kept(3, 1, 1), 12);
  for (const Decision& decision : run_policy(*policy, plan, {0})) {
    if (decision.kept) {
      EXPECT_EQ(decision.kept->front().front(), decision.available.front() - 12);
    }
  }
}

TEST(Policy, ABudgetBelowWhatIsProtectedNamesTheNearestFeasible) {
  const CacheGeometry geometry{.layers = 1,
                               .heads = 1,
                               .head_dim = 4,
                               .steps = next_scale_steps({{1, 1}, {5, 5}, {6, 6}, {7, 7}})};
  const ConfigNode streaming = named_policy(kPolicyFolder, "streaming_llm");
  try {
    make_plan(geometry, streaming, Budget::of_tokens(3));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("budget.tokens=4"));
  }
  EXPECT_EQ(make_plan(geometry, streaming, Budget::of_tokens(4)).kept(2, 0, 0), 4);
}

TEST(Policy, AScoreThatIsNotANumberNamesItsLayerAndHead) {
  const CacheGeometry geometry{
      .layers = 3, .heads = 2, .head_dim = 8, .steps = next_scale_steps({{1, 1}, {5, 5}, {6, 6}})};
  for (const char* name : {"snapkv", "scalekv"}) {
    auto policy = make_policy(named_policy(kPolicyFolder, name));
    const Plan plan = policy->plan(geometry, Budget::of_tokens(20));
    KvCache cache(plan, 1, at::kCPU);
    AttentionContext context{.cache = cache, .controller = policy.get()};
    policy->begin_generation(1);
    const auto attend_with = [&](const StepInfo& step, double poison) {
      LayerInputs inputs = layer_inputs(geometry, step, 2, {0});
      inputs.k.select(1, 1).select(1, -1).fill_(poison);
      attend(context, inputs.at(step, 2, 1.0));
    };
    attend_with(geometry.steps[0], 0.5);
    try {
      attend_with(geometry.steps[1], std::numeric_limits<double>::quiet_NaN());
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kNumerics) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("layer 2, row 0, head 1"));
    }
  }
}

}  // namespace
}  // namespace kvscope
