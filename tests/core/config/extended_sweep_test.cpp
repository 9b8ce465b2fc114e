// What sweeps can do beyond Hydra: zip(..), globs over words, blocks, filters.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config_testing.h"
#include "core/config/compose.h"
#include "core/config/sweep.h"
#include "core/config/sweep_filter.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

class ExtendedSweep : public testing::Test {
 protected:
  ExtendedSweep() : folder_("extended_sweep") {
    folder_.write("config.yaml",
                  "defaults:\n  - policy: full\n  - _self_\nbudget: {ratio: 1.0}\ngen: {cfg: 4, "
                  "words: psnr}\n");
    for (const char* name : {"full", "h2o", "snapkv"}) {
      folder_.write(fmt::format("policy/{}.yaml", name), fmt::format("name: {}\n", name));
    }
  }

  [[nodiscard]] ComposeRequest request(const Lines& overrides) const {
    ComposeRequest request;
    request.folders = {folder_.path()};
    request.overrides = overrides;
    request.multirun = true;
    request.words_of_key = [](const std::string& key) -> std::vector<std::string> {
      if (key == "gen.words") return {"psnr", "ssim", "ms_ssim"};
      return {};
    };
    return request;
  }

  /// The points of a sweep, a line each.
  [[nodiscard]] Lines points(const Lines& overrides, Lines* repeats = nullptr) const {
    Lines lines;
    for (const Lines& point : expand_sweep(request(overrides), repeats)) {
      lines.push_back(fmt::format("{}", fmt::join(point, " ")));
    }
    return lines;
  }

  [[nodiscard]] std::string refusal(const Lines& overrides) const {
    return error_of([&] { (void)points(overrides); });
  }

  void experiment(const std::string& sweeper) const {
    folder_.write("experiment/e.yaml", "# @package _global_\nhydra:\n  sweeper:\n" + sweeper);
  }

  ConfigFolder folder_;
};

TEST_F(ExtendedSweep, ZipGoesInStep) {
  EXPECT_THAT(
      points({"pair=zip(policy=choice(full,h2o),gen.cfg=[4,5])", "budget.ratio=0.1,0.2"}),
      ElementsAre("policy=full gen.cfg=4 budget.ratio=0.1",
                  "policy=full gen.cfg=4 budget.ratio=0.2", "policy=h2o gen.cfg=5 budget.ratio=0.1",
                  "policy=h2o gen.cfg=5 budget.ratio=0.2"));
  EXPECT_THAT(points({"p= zip( policy=glob(*) , gen.cfg=range(1,4), +x=choice(u,[1,2],{c:d}) )"}),
              ElementsAre("policy=full gen.cfg=1 +x=u", "policy=h2o gen.cfg=2 +x=[1,2]",
                          "policy=snapkv gen.cfg=3 +x={c:d}"));
  const Composition composed = compose(request({"policy=h2o", "gen.cfg=5"}));
  EXPECT_FALSE(composed.config.contains("pair"));
}

TEST_F(ExtendedSweep, ZipSaysWhatIsWrong) {
  EXPECT_THAT(refusal({"p=zip(policy=choice(full,h2o),gen.cfg=[4,5,6])"}),
              AllOf(HasSubstr("'policy' has 2 values"), HasSubstr("'gen.cfg' has 3")));
  EXPECT_THAT(refusal({"p=zip(policy=full,h2o,gen.cfg=4,5)"}), HasSubstr("one value"));
  EXPECT_THAT(refusal({"p=zip(policy=choice(full,h2o),h2o)"}), HasSubstr("no KEY=VALUES"));
  EXPECT_THAT(refusal({"p=zip(policy=[a,b],policy=[c,d])"}), HasSubstr("twice"));
  EXPECT_THAT(refusal({"p=zip(policy=[a,b])"}), HasSubstr("several keys"));
  EXPECT_THAT(refusal({"p=zip(a=[1,2],b=zip(c=[1],d=[2]))"}), HasSubstr("zip(..) inside zip(..)"));
  EXPECT_THAT(refusal({"p=zip(a=[1,2],hydra.job.name=[a,b])"}), HasSubstr("hydra's own"));
  EXPECT_THAT(refusal({"p=zip(a=[1,2],b=[1,2]"}), HasSubstr("closing ')'"));
  EXPECT_THAT(refusal({"p=zip(a=[1,2],b=[1,2]),3"}), HasSubstr("behind zip(..)"));
  EXPECT_THAT(refusal({"policy=zip(a=[1,2],b=[1,2])"}), HasSubstr("is a config group"));
  EXPECT_THAT(refusal({"gen=zip(a=[1,2],b=[1,2])"}), HasSubstr("is a key"));
  EXPECT_THAT(refusal({"+p=zip(a=[1,2],b=[1,2])"}), HasSubstr("plain name"));
  EXPECT_THAT(refusal({"p=zip(policy=[full,h2o],gen.cfg=[1,2])", "gen.cfg=3,4"}),
              HasSubstr("swept twice"));
  EXPECT_THAT(error_of([&] { (void)compose(request({"p=zip(policy=[full,h2o],gen.cfg=[1,2])"})); }),
              HasSubstr("-m (--multirun)"));
}

TEST_F(ExtendedSweep, NothingElseIsAZip) {
  EXPECT_EQ(compose(request({"+x=zip"})).config.at("x").as_string(), "zip");
  EXPECT_EQ(compose(request({"+x='zip(a=1)'"})).config.at("x").as_string(), "zip(a=1)");
  EXPECT_EQ(compose(request({"+x=zipped"})).config.at("x").as_string(), "zipped");
  EXPECT_THAT(points({"+x=zip,zap"}), ElementsAre("+x=zip", "+x=zap"));
  EXPECT_THAT(refusal({"+x=zap(a=1)"}), HasSubstr("zap"));
}

TEST_F(ExtendedSweep, TheCommandLineTakesAKeyOutOfAConfiguredZip) {
  experiment("    params: {pair: \"zip(policy=[full,h2o],gen.cfg=[4,5])\"}\n");
  EXPECT_THAT(points({"+experiment=e"}), ElementsAre("policy=full gen.cfg=4 +experiment=e",
                                                     "policy=h2o gen.cfg=5 +experiment=e"));
  EXPECT_THAT(
      points({"+experiment=e", "gen.cfg=7"}),
      ElementsAre("policy=full +experiment=e gen.cfg=7", "policy=h2o +experiment=e gen.cfg=7"));
  experiment("    params: {pair: \"zip(policy=[full,h2o],gen.cfg=[4])\"}\n");
  EXPECT_THAT(refusal({"+experiment=e"}), HasSubstr("e.yaml:4:20: "));
}

TEST_F(ExtendedSweep, GlobsGoOverDeclaredWords) {
  EXPECT_THAT(points({"gen.words=glob(*ssim)"}),
              ElementsAre("gen.words=ssim", "gen.words=ms_ssim"));
  EXPECT_THAT(points({"gen.words=glob(*,exclude=psnr)"}), testing::SizeIs(2));
  EXPECT_THAT(refusal({"gen.cfg=glob(*)"}), HasSubstr("whose words are declared"));
}

TEST_F(ExtendedSweep, BlocksFollowEachOther) {
  experiment(
      "    params: {gen.cfg: 4}\n"
      "    blocks:\n"
      "      - {policy: full, budget.ratio: 1.0}\n"
      "      - [policy=h2o, 'budget.ratio=0.1,0.2']\n"
      "      - ['budget.ratio=0.1', policy=h2o, gen.cfg=4]\n");
  Lines repeats;
  EXPECT_THAT(points({"+experiment=e"}, &repeats),
              ElementsAre("gen.cfg=4 policy=full budget.ratio=1.0 +experiment=e",
                          "gen.cfg=4 policy=h2o budget.ratio=0.1 +experiment=e",
                          "gen.cfg=4 policy=h2o budget.ratio=0.2 +experiment=e"));
  EXPECT_THAT(repeats, ElementsAre("gen.cfg=4 budget.ratio=0.1 policy=h2o +experiment=e"));
  // The command line crosses all of them, and its keys count instead of theirs.
  EXPECT_THAT(points({"+experiment=e", "policy=snapkv", "+seed=0,1"}), testing::SizeIs(6));
  experiment("    blocks:\n      - {policy: full}\n      - 3\n");
  EXPECT_THAT(refusal({"+experiment=e"}), AllOf(HasSubstr("e.yaml:6:9"), HasSubstr("an integer")));
  experiment("    blocks:\n      - {policy: \"choice(\"}\n");
  EXPECT_THAT(refusal({"+experiment=e"}), HasSubstr("e.yaml:5:18"));
}

TEST_F(ExtendedSweep, BlocksCanBeTyped) {
  EXPECT_THAT(points({"hydra.sweeper.blocks=[{policy:full},{policy:h2o,budget.ratio:'0.1,0.2'}]"}),
              testing::SizeIs(3));
}

TEST_F(ExtendedSweep, FiltersSayWhyAPointIsDropped) {
  const std::string filter = "hydra.sweeper.filter='(policy == \"full\") == (budget.ratio == 1.0)'";
  const auto why = [&](const Lines& overrides) {
    Lines all = overrides;
    all.push_back(filter);
    return filtered_out(compose(request(all)));
  };
  EXPECT_EQ(why({"policy=full"}), std::nullopt);
  EXPECT_EQ(why({"policy=h2o", "budget.ratio=0.5"}), std::nullopt);
  ASSERT_NE(why({"policy=h2o"}), std::nullopt);
  EXPECT_THAT(*why({"policy=h2o"}), HasSubstr("policy = 'h2o', budget.ratio = 1"));
  EXPECT_EQ(filtered_out(compose(request({}))), std::nullopt);
}

TEST_F(ExtendedSweep, FiltersNameTheirPlaceAndTheNearestKey) {
  const auto refused = [&](const std::string& filter, const UnlistedKeys& unlisted = {}) {
    experiment("    filter: \"" + filter + "\"\n");
    return error_of([&] { (void)filtered_out(compose(request({"+experiment=e"})), unlisted); });
  };
  EXPECT_THAT(refused("budget.raito > 1"),
              AllOf(HasSubstr("e.yaml:4:13"), HasSubstr("Did you mean 'budget.ratio'?")));
  EXPECT_THAT(refused("budget.ratio > 2 and gen.cgf == 1"), HasSubstr("Did you mean 'gen.cfg'?"))
      << "though `and` never comes to it";
  EXPECT_THAT(refused("budget.ratio >"), HasSubstr("e.yaml:4:13"));
  EXPECT_THAT(refused("budget.ratio + 1"), HasSubstr("neither true nor false"));
  EXPECT_THAT(refused("gen == 1"), HasSubstr("'gen' is a mapping"));
  UnlistedKeys unlisted;
  unlisted.value = [](const std::string& key) -> std::optional<ConfigNode> {
    if (key == "gen.cuts") return ConfigNode("per_layer");
    return std::nullopt;
  };
  unlisted.names = [] { return std::vector<std::string>{"gen.cuts"}; };
  EXPECT_THAT(refused("gen.cutts == 'x'", unlisted), HasSubstr("Did you mean 'gen.cuts'?"));
  experiment("    filter: \"gen.cuts == 'per_layer'\"\n");
  EXPECT_EQ(filtered_out(compose(request({"+experiment=e"})), unlisted), std::nullopt);
}

TEST_F(ExtendedSweep, CalcIsArithmeticOverTheConfiguration) {
  folder_.write("calc.yaml",
                "defaults: [config]\n"
                "a: ${calc:gen.cfg * 2 + 1}\n"
                "b: n=${calc:${gen.cfg} / 8}\n"
                "c: \"${calc:'min(3, gen.cfg) == 3'}\"\n");
  ComposeRequest asking = request({});
  asking.config_name = "calc";
  const Composition composed = compose(asking);
  EXPECT_EQ(composed.config.at("a"), ConfigNode(9));
  EXPECT_EQ(composed.config.at("b"), ConfigNode("n=0.5"));
  EXPECT_EQ(composed.config.at("c"), ConfigNode(true));
  const auto refused = [&](const std::string& text) {
    folder_.write("calc.yaml", "defaults: [config]\nx: " + text + "\n");
    return error_of([&] { (void)compose(asking); });
  };
  EXPECT_THAT(refused("${calc:1 / 0}"),
              AllOf(HasSubstr("division by zero"), HasSubstr("calc.yaml:2:4")));
  EXPECT_THAT(refused("${calc:gen.cgf + 1}"), HasSubstr("Did you mean 'gen.cfg'?"));
  EXPECT_THAT(refused("${calc:x + 1}"), HasSubstr("cycle"));
  EXPECT_THAT(refused("${clac:1}"), HasSubstr("Did you mean 'calc'?"));
}

TEST_F(ExtendedSweep, ResolversOfTheCallerAreCalled) {
  ComposeRequest asking = request({"+x='${twice:${gen.cfg}}'"});
  asking.resolvers["twice"] = [](const std::vector<ConfigNode>& arguments) -> ConfigNode {
    return 2 * arguments.at(0).as_int64();
  };
  EXPECT_EQ(compose(asking).config.at("x"), ConfigNode(8));
}

}  // namespace
}  // namespace kvscope
