// Equal numbers make one point, whatever their spelling.
#include "experiments/sweep/number_spelling.h"

#include "core/config/format.h"
#include "core/config/repository.h"
#include "core/config/yaml.h"
#include "experiments/results/result_file.h"
#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/run_keys.h"
#include "experiments/sweep/run_point.h"
#include "sweep_testing.h"

namespace kvscope {
namespace {

using Words = std::vector<std::string>;

/// A value of the key in another spelling, behind a comma.
std::string twice(const std::string& key, const std::string& value, const std::string& other) {
  return key + "=" + value + "," + other;
}

TEST(NumberSpelling, EveryFloatOfTheGenerationTakesIntegersForEqual) {
  int64_t tried = 0;
  for (const RunKey& key : run_keys()) {
    const std::string& name = key.option.key;
    const bool is_list = key.option.accepts.starts_with("number or list of numbers");
    if (!name.starts_with("gen.")) continue;  // a budget has a form of its own
    if (!is_list && !key.option.accepts.starts_with("float")) continue;
    ++tried;
    Words overrides = tiny_model() + Words{"policy=full", twice(name, "1", "1.0")};
    if (is_list) overrides.back() += ",[1],[1.0]";
    const PointList list = points_of(overrides);
    ASSERT_EQ(list.points.size(), 1) << name;
    EXPECT_EQ(list.points.front().config.at(name).kind(), ConfigKind::kFloat) << name;
  }
  EXPECT_GE(tried, 3) << "guidance, temperature and mass";
  const PointList steps = points_of(tiny_model() + Words{"gen.cfg=[1,2,3,4],[1.0,2.0,3.0,4.0]"});
  EXPECT_EQ(steps.points.size(), 1) << "one a step";
}

TEST(NumberSpelling, SoDoesEveryFloatOfAPolicysComponents) {
  const ComponentRegistry components;
  for (const RunKey& key : policy_keys(components)) {
    if (!key.option.accepts.starts_with("float")) continue;
    const std::string slot = key.option.key.substr(0, key.option.key.rfind('.'));
    const auto hash_form = [&](const char* number) {
      ConfigNode config = load_yaml_text("policy: {name: one}", "test");
      config.set_path(slot + ".name", key.readers.front());
      config.set_path(key.option.key, load_yaml_text(number, "test"));
      settle_numbers(config, components);
      return canonical_json(config);
    };
    EXPECT_EQ(hash_form("1"), hash_form("1.0")) << key.option.key << ", " << key.readers.front();
  }
}

TEST(NumberSpelling, IsThatOfEveryConfigurationFileSoThatResultsKeepTheirHash) {
  ConfigRepository repository({find_config_folder()});
  const ComponentRegistry components;
  for (const std::string& name : policy_names(find_config_folder() / "policy")) {
    ConfigNode config = ConfigNode::map();
    config.set("policy", repository.load("policy/" + name)->body);
    const ConfigNode before = config;
    settle_numbers(config, components);
    EXPECT_EQ(canonical_json(config), canonical_json(before)) << name;
  }
  for (const char* group : {"gen", "model"}) {
    for (const std::string& name : repository.options(group)) {
      ConfigNode config = load_yaml_text("policy: {name: none}", "test");
      config.set(group, repository.load(std::string(group) + "/" + name)->body);
      const ConfigNode before = config;
      settle_numbers(config, components);
      EXPECT_EQ(canonical_json(config), canonical_json(before)) << group << "/" << name;
    }
  }
}

TEST(NumberSpelling, ResultsInAnotherAreUsedAndTheirReferenceIsFound) {
  const ResultsFolder folder("spelling");
  const auto sweep = [&](const char* cfg) {
    return sweep_of(
        tiny_model() + Words{"policy=full,sliding_window", "budget.tokens=6", "gen.images=2", cfg},
        folder);
  };
  Sweep before = sweep("gen.cfg=2.0");
  // As an earlier version had it: another hash for the same number.
  const ConfigNode asked = load_yaml_text("gen: {cfg: 2}", "test");
  for (Point& point : before.list.points) {
    point.setting_hash = point.setting_hash_spelt_as(asked);
    point.hash = point.setting_hash;
    take_spelling(point.config, asked);
    EXPECT_EQ(point.config.at("gen.cfg").kind(), ConfigKind::kInt);
  }
  ASSERT_EQ(run_sweep(before).images_made, 4);
  const SweepOutcome outcome = run_sweep(sweep("gen.cfg=2"));
  EXPECT_EQ(outcome.points_done, 2);
  EXPECT_EQ(outcome.images_made, 0);
  const Sweep one = sweep_of(tiny_model() + Words{"policy=sliding_window", "budget.tokens=6",
                                                  "gen.images=2", "gen.cfg=[2.0]"},
                             folder);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_sweep(one).points_done, 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::Not(testing::HasSubstr("no full-cache point")));
}

}  // namespace
}  // namespace kvscope
