#include "core/config/compose.h"

#include <fmt/format.h>

#include "config_testing.h"
#include "core/config/format.h"
#include "core/config/sweep.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// A small project like ours.
class ComposeTest : public testing::Test {
 protected:
  ComposeTest() : folder_(testing::UnitTest::GetInstance()->current_test_info()->name()) {
    folder_.write(
        "config.yaml",
        "defaults:\n  - model: toy\n  - policy: full\n  - _self_\nseed: 0\nbudget: {ratio: 1.0}\n"
        "name: ${model.name}-${hydra:runtime.choices.policy}\n");
    folder_.write("model/toy.yaml", "name: toy\n");
    folder_.write("model/infinity_2b.yaml", "name: infinity_2b\n");
    folder_.write("policy/full.yaml", "name: full\n");
    folder_.write("policy/snapkv.yaml", "name: snapkv\n");
    folder_.write("policy/scalekv.yaml", "name: scalekv\n");
    folder_.write(
        "experiment/quickstart.yaml",
        "# @package _global_\ndefaults:\n  - override /model: infinity_2b\nhydra:\n  sweeper:\n"
        "    params: {policy: \"full,snapkv\", budget.ratio: \"0.1,0.2\"}\n");
  }

  [[nodiscard]] ComposeRequest request(std::vector<std::string> overrides) const {
    ComposeRequest result;
    result.folders = {folder_.path()};
    result.overrides = std::move(overrides);
    return result;
  }

  [[nodiscard]] std::string message(const std::vector<std::string>& overrides) const {
    return error_of([&] { (void)compose(request(overrides)); });
  }

  ConfigFolder folder_;
};

TEST_F(ComposeTest, MistakesNameTheNearestAndTheKnown) {
  EXPECT_THAT(message({"policy=snapvk"}),
              AllOf(HasSubstr("override 'policy=snapvk'"), HasSubstr("Did you mean 'snapkv'?"),
                    HasSubstr("full, scalekv")));
  EXPECT_THAT(message({"polcy=full"}), HasSubstr("Did you mean 'policy'?"));
  EXPECT_THAT(message({"budget.ratoi=0.1"}), HasSubstr("Did you mean 'budget.ratio'?"));
  EXPECT_THAT(message({"+experiment=quikstart"}), HasSubstr("Did you mean 'quickstart'?"));
  EXPECT_THAT(message({"budget.ratio=0.1,0.2"}), HasSubstr("-m"));
  EXPECT_THAT(message({"seed.x=1"}), HasSubstr("'seed' is an integer"));
  EXPECT_TRUE(compose(request({"+seed.x=1"})).config.find("seed.x"));  // as Hydra: in its place
  EXPECT_THAT(message({"seed"}), HasSubstr("key=value"));
  EXPECT_THAT(message({"hydra.rnu.dir=x"}), HasSubstr("Did you mean"));
}

TEST_F(ComposeTest, ErrorsInFilesNameTheLine) {
  folder_.write("bad.yaml", "defaults:\n  - policy: fulll\n");
  ComposeRequest bad = request({});
  bad.config_name = "bad";
  EXPECT_THAT(error_of([&] { (void)compose(bad); }),
              AllOf(HasSubstr("bad.yaml:2:13"), HasSubstr("'full'")));
  folder_.write("bad.yaml", "x: ${seeed}\nseed: 1\n");
  EXPECT_THAT(error_of([&] { (void)compose(bad); }),
              AllOf(HasSubstr("bad.yaml:1:4"), HasSubstr("'seed'")));
  folder_.write("bad.yaml", "defaults: [bad]\n");
  EXPECT_THAT(error_of([&] { (void)compose(bad); }), HasSubstr("includes itself"));
  bad.config_name = "confg";
  EXPECT_THAT(error_of([&] { (void)compose(bad); }), HasSubstr("'config'"));
  bad.config_name = "../config";
  EXPECT_THAT(error_of([&] { (void)compose(bad); }), HasSubstr("no primary config"));
}

TEST_F(ComposeTest, CyclesAndMultiplyingInterpolationsStop) {
  EXPECT_THAT(message({"+a=${b}", "+b=${c}", "+c=${a}"}), HasSubstr("a -> b -> c -> a"));
  EXPECT_THAT(message({"+a={b: '${a}'}"}), HasSubstr("cycle"));
  std::vector<std::string> bomb{"+t0=xxxxxxxxxxxxxxxx"};
  for (int i = 1; i < 40; ++i)
    bomb.push_back(fmt::format("+t{}=${{t{}}}${{t{}}}", i, i - 1, i - 1));
  EXPECT_THAT(message(bomb), testing::AnyOf(HasSubstr("64 MiB"), HasSubstr("two million")));
  std::vector<std::string> chain{"+t0=x"};
  for (int i = 1; i < 400; ++i) chain.push_back(fmt::format("+t{}=${{t{}}}", i, i - 1));
  EXPECT_THAT(message(chain), HasSubstr("too deep"));
}

TEST_F(ComposeTest, ValuesRememberWhoSetThem) {
  const Composition composed = compose(request({"budget.ratio=0.1", "policy=snapkv"}));
  EXPECT_EQ(composed.config.at("budget.ratio").origin().text(), "override 'budget.ratio=0.1'");
  EXPECT_THAT(composed.config.at("policy.name").origin().text(),
              HasSubstr("policy/snapkv.yaml:1:7"));
  EXPECT_EQ(composed.config.at("name").as_string(), "toy-snapkv");
  EXPECT_EQ(composed.config.at("budget.ratio").path(), "budget.ratio");
}

TEST_F(ComposeTest, AnExperimentBringsItsGrid) {
  const auto points =
      expand_sweep(request({"+experiment=quickstart", "seed=7", "hydra.sweep.dir=out"}));
  ASSERT_THAT(points, SizeIs(4));
  EXPECT_THAT(points[1], ElementsAre("policy=full", "budget.ratio=0.2", "+experiment=quickstart",
                                     "seed=7", "hydra.sweep.dir=out"));
  const Composition composed = compose(request(points[3]));
  EXPECT_EQ(composed.config.at("name").as_string(), "infinity_2b-snapkv");
  EXPECT_EQ(composed.hydra.at("sweep.dir").as_string(), "out");
  EXPECT_THAT(expand_sweep(request({"+experiment=quickstart", "policy=glob(s*)"})), SizeIs(4));
}

TEST_F(ComposeTest, SweepsThatExplodeAreRefused) {
  EXPECT_THAT(error_of([&] {
                (void)expand_sweep(request({"seed=range(1000)", "budget.ratio=range(2000)"}));
              }),
              HasSubstr("more than"));
  EXPECT_THAT(error_of([&] { (void)expand_sweep(request({"seed=range(10000000000)"})); }),
              HasSubstr("million"));
}

TEST_F(ComposeTest, GroupsAndOptionsAreListed) {
  EXPECT_THAT(config_groups({folder_.path()}), ElementsAre("experiment", "model", "policy"));
  // What editors and file managers leave beside them is no option.
  folder_.write("policy/._snapkv.yaml", std::string("\0\5\26\7", 4));
  folder_.write("policy/.#full.yaml", "");
  folder_.write("policy/notes.txt", "");
  folder_.write(".git/hooks/a.yaml", "");
  EXPECT_THAT(config_groups({folder_.path()}), ElementsAre("experiment", "model", "policy"));
  EXPECT_THAT(group_options({folder_.path()}, "policy"), ElementsAre("full", "scalekv", "snapkv"));
}

}  // namespace
}  // namespace kvscope
