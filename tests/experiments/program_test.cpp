#include "experiments/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "core/device/device.h"
#include "experiments/version.h"
#include "sweep/sweep_testing.h"
#include "test_paths.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(Program, SaysWhichCommandWasMeant) {
  const Answer typo = answer({"rum"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.err, HasSubstr("Did you mean 'run'?"));
  EXPECT_EQ(answer({}).exit_code, 2);
  const Answer flag = answer({"run", "--multirn"});
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_THAT(flag.err, HasSubstr("Did you mean '--multirun'?"));
  EXPECT_THAT(answer({"attention", "recrod"}).err, HasSubstr("Did you mean 'record'?"));
  EXPECT_THAT(answer({"list", "polices"}).err, HasSubstr("Did you mean 'policies'?"));
  EXPECT_THAT(answer({"describe", "policy/snapvk"}).err, HasSubstr("Did you mean 'snapkv'?"));
}

TEST(Program, CallsCommandsByAllTheirWords) {
  for (const Words& words :
       {Words{"config", "parse", "a=1", "b=2"}, Words{"judge", "check", "fid", "x", "y"},
        Words{"weights", "inspect", "a", "b", "c"}}) {
    const Answer refused = answer(words);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("kvscope " + words[0] + " " + words[1])) << refused.err;
  }
  EXPECT_THAT(answer({"attention", "record", "--multirn"}).err,
              HasSubstr("kvscope attention record: unknown option"));
}

TEST(Program, HelpAndVersion) {
  const Answer version = answer({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr(kVersion));
  EXPECT_THAT(answer({"--help"}).out, AllOf(HasSubstr("run"), HasSubstr("verify")));
  EXPECT_THAT(answer({"run", "--help"}).out, HasSubstr("--multirun"));
  std::ifstream stream(std::filesystem::path(kSourceDir) / "CMakeLists.txt");
  const std::string cmake(std::istreambuf_iterator<char>(stream), {});
  EXPECT_THAT(cmake, HasSubstr(std::string("VERSION ") + kVersion));
}

TEST(Program, BadInputExitsWith2AndLeavesNothingOnDisk) {
  const ResultsFolder folder("bad_input");
  for (const std::string bad :
       {"policy=scalkv", "gen.imges=3", "budget.ratio=2", "budget.tokens=0", "device=gpu"}) {
    const Answer refused = answer({"run", bad, "hydra.run.dir=" + folder.path().string(),
                                   "model.weights=random", "model.tokenizer=null"});
    EXPECT_EQ(refused.exit_code, 2) << bad << ": " << refused.err;
    EXPECT_THAT(refused.err, testing::StartsWith("error: ")) << bad;
    EXPECT_FALSE(std::filesystem::exists(folder.path())) << bad;
  }
}

TEST(Program, ANameIsAFolderBelowThatOfAllResults) {
  for (const char* name : {"", ".", "..", "../there", "a/../../b", "/tmp/there"}) {
    for (const char* command : {"plan", "run"}) {
      const Answer refused = answer({command, "-m", "policy=full", std::string("name=") + name});
      EXPECT_EQ(refused.exit_code, 2) << name;
      EXPECT_THAT(refused.err, HasSubstr("such as name=first")) << name;
    }
  }
  EXPECT_EQ(answer({"plan", "-m", "policy=full", "name=paper/first..try"}).exit_code, 0);
}

TEST(Program, OffersTheWordsThatItKnows) {
  struct Case {
    Words words;
    const char* expected;
  };
  for (const Case& one :
       {Case{{"export", ""}, "geneval"}, Case{{"import", "im"}, "imagereward"},
        Case{{"judge", "check", ""}, "var_png"}, Case{{"judge", "prompts", "d"}, "dpg"},
        Case{{"compare", "DIR", "--metric", ""}, "psnr"},
        Case{{"plot", "DIR", "--metric", "al"}, "all"},
        Case{{"leaderboard", "DIR", "--metric", "p"}, "psnr"},
        Case{{"compare", "DIR", "--test", ""}, "wilcoxon"},
        Case{{"export", "imagenet_npz", "--order", ""}, "index"},
        Case{{"paper", "run", ""}, "scalekv_figure7a"}}) {
    Words words{"complete", "--"};
    words.insert(words.end(), one.words.begin(), one.words.end());
    EXPECT_THAT(answer(words).out,
                testing::ContainsRegex("(^|\n)" + std::string(one.expected) + "\t?"))
        << one.words.front();
  }
}

TEST(Program, AskingForAMissingGpuExitsWith3AndLeavesNothingOnDisk) {
  if (gpu_count() > 0) GTEST_SKIP() << "this machine has a GPU";
  const ResultsFolder folder("no_gpu");
  const Answer refused = answer({"run", "device=cuda", "hydra.run.dir=" + folder.path().string(),
                                 "model.weights=random", "model.tokenizer=null"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("device=cuda"));
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
}

TEST(Program, PlanPrintsThePapersMegabytes) {
  const Answer plan = answer(
      {"plan", "model=infinity_2b", "policy=full", "gen.batch=8", "model.precision=reference"});
  EXPECT_EQ(plan.exit_code, 0);
  EXPECT_THAT(plan.out, HasSubstr("38550.00 MiB (40422604800 bytes)"));
  const Answer sweep =
      answer({"plan", "-m", "model=infinity_2b", "policy=full,scalekv", "budget.tokens=1300,650",
              "gen.batch=8", "model.precision=reference"});
  EXPECT_THAT(sweep.out, AllOf(HasSubstr("7800.00"), HasSubstr("3900.00"), HasSubstr("KV bytes"),
                               HasSubstr("3 points, 1 duplicates left out")));
}

TEST(Program, ListsAndShowsConfigs) {
  EXPECT_THAT(answer({"list", "policies"}).out,
              AllOf(HasSubstr("full"), HasSubstr("scalekv"), HasSubstr("snapkv")));
  EXPECT_THAT(answer({"list", "experiments"}).out, HasSubstr("+experiment=quickstart"));
  EXPECT_THAT(answer({"list", "models"}).out, HasSubstr("infinity_8b"));
  EXPECT_THAT(answer({"list", "metrics"}).out,
              AllOf(HasSubstr("PSNR to the full cache (dB), higher is better"),
                    HasSubstr("metrics.list=[ms_ssim,...]")));
  EXPECT_THAT(answer({"describe", "gen.cfg"}).out, HasSubstr("guidance"));
  EXPECT_THAT(answer({"describe", "policy.score.window"}).out,
              AllOf(HasSubstr("queries"), HasSubstr("window_attention")));
  EXPECT_THAT(answer({"describe", "model.cfg_interval"}).out, HasSubstr("llamagen"));
  EXPECT_THAT(answer({"describe", "gen.cgf"}).err, HasSubstr("Did you mean 'gen.cfg'?"));
  EXPECT_THAT(answer({"list", "keys"}).out,
              AllOf(HasSubstr("budget.moment"), HasSubstr("train.transformer.steps"),
                    HasSubstr("policy.allocate.beta"), HasSubstr("model.vq.code_width")));
  const Answer config = answer({"run", "--cfg", "job", "--resolve", "gen.images=7", "seed=4"});
  EXPECT_EQ(config.exit_code, 0);
  EXPECT_THAT(config.out, AllOf(HasSubstr("images: 7"), HasSubstr("seed: 4")));
}

TEST(Program, RunsASweepAndEndsWithItsTable) {
  const ResultsFolder folder("table");
  const std::vector<std::string> arguments =
      std::vector<std::string>{"run", "-m", folder.override_text(), "policy=full,sliding_window",
                               "budget.ratio=0.5"} +
      tiny_model();
  const Answer first = answer(arguments);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("sliding_window"), HasSubstr("report")));
  const Answer again = answer(arguments);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("done already"));
}

TEST(Program, GeneratesOneImage) {
  const ResultsFolder folder("generate");
  const std::filesystem::path file = folder.path() / "circle.png";
  std::vector<std::string> model = tiny_model();
  std::erase_if(model, [](const std::string& text) { return text.starts_with("gen."); });
  const Answer made = answer(std::vector<std::string>{"generate", "prompt='a red circle'",
                                                      "threads=1", "--out", file.string()} +
                             model);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace kvscope
