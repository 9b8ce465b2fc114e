// kvscope attention list, show and record --statistics, as the program answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/attention_recorder.h"
#include "core/image/png.h"
#include "tests/analysis/attention/attention_run.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/experiments/sweep/sweep_testing.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

/// attention.h5 of a run of 3 layers, 3 heads and 4 scales; its path.
std::string recorded(const std::filesystem::path& folder) {
  AttentionRun run;
  AttentionRecorder recorder({.guided = true, .raw_heads = {{1, 2}}});
  recorder.add_prompts({"a", "b"});
  run.generate(recorder, 3);
  AttentionRecord record = recorder.record();
  record.model = "toy";
  write_attention(folder / "attention.h5", record);
  return (folder / "attention.h5").string();
}

TEST(AttentionListCommand, NamesEveryStatistic) {
  const Answer text = answer({"attention", "list"});
  EXPECT_EQ(text.exit_code, 0);
  const Answer json = answer({"attention", "list", "--json"});
  std::istringstream lines(json.out);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto one = nlohmann::json::parse(line);
    EXPECT_THAT(text.out, HasSubstr(one.at("name").get<std::string>()));
    EXPECT_THAT(text.out, HasSubstr(one.at("help").get<std::string>()));
    EXPECT_FALSE(one.at("unit").get<std::string>().empty());
    EXPECT_FALSE(one.at("cost").get<std::string>().empty());
    EXPECT_GT(one.at("axes").size(), 0);
  }
  EXPECT_EQ(count, attention_statistics().size());
}

TEST(AttentionShowCommand, SaysWhatAFileHolds) {
  const std::string file = recorded(fresh_folder("a"));
  const Answer shown = answer({"attention", "show", file});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("toy, 2 images, 3 layers x 3 heads x 4 steps, 42 tokens"),
                               HasSubstr("layer 3 x head 3 x step 4 x on_step 4 [share]"),
                               HasSubstr("sampled_queries 64, top_keys 16"), HasSubstr("map.raw")));
  EXPECT_THAT(shown.out, Not(HasSubstr("mass.offset")));
}

TEST(AttentionShowCommand, ShowsMeansAndSaysOfWhat) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string file = recorded(folder);
  const Answer shown = answer({"attention", "show", file, "mass.history_top"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("layer \\ step"), HasSubstr("mean over head (3)")));
  // The number in the table is the mean.
  const NamedArray array = read_attention(file).array("mass.history_top");
  const double mean = (array.at(1, 0, 3) + array.at(1, 1, 3) + array.at(1, 2, 3)) / 3;
  EXPECT_THAT(shown.out, HasSubstr(fmt::format("{:.4f}", mean)));
  const Answer one = answer({"attention", "show", file, "mass.history_top", "--rows", "head",
                             "--columns", "step", "--at", "layer=1"});
  EXPECT_THAT(one.out, AllOf(HasSubstr("head \\ step"), HasSubstr("at layer = 1"),
                             HasSubstr(fmt::format("{:.4f}", array.at(1, 2, 3)))));
  EXPECT_THAT(one.out, Not(HasSubstr("mean over")));
  const Answer layers = answer({"attention", "show", file, "entropy.window"});
  EXPECT_EQ(layers.exit_code, 0) << layers.err;
  EXPECT_THAT(layers.out, AllOf(HasSubstr("entropy.window [nats]"), Not(HasSubstr("mean over"))));
}

TEST(AttentionShowCommand, DrawsEveryArray) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string file = recorded(folder);
  for (const auto& [name, array] : read_attention(file).arrays) {
    const std::filesystem::path svg = folder / (name + ".svg");
    const Answer drawn = answer({"attention", "show", file, name, "--out", svg.string()});
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    std::ifstream stream(svg);
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    EXPECT_THAT(text, HasSubstr(name));
  }
  const std::filesystem::path png = folder / "mass.png";
  EXPECT_EQ(answer({"attention", "show", file, "mass.step", "--out", png.string()}).exit_code, 0);
  EXPECT_GT(read_png(png).image.width, 100);
}

TEST(AttentionShowCommand, AStepHasItsOwnQueriesAndAHeadItsOwnLayer) {
  const std::filesystem::path folder = fresh_folder("pinned");
  const std::string file = recorded(folder);
  const std::string csv = (folder / "raw.csv").string();
  const Answer shown = answer({"attention", "show", file, "map.raw", "--rows", "query", "--columns",
                               "key", "--at", "step=1", "--at", "layer=1", "--out", csv});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.err, HasSubstr("4 x 42 numbers are not printed"))
      << "the second scale has 2 x 2";
  std::ifstream stream(csv);
  std::string line;
  int64_t lines = 0;
  while (std::getline(stream, line)) ++lines;
  EXPECT_EQ(lines, 5);
  const Answer none = answer(
      {"attention", "show", file, "map.raw", "--rows", "key", "--at", "step=1", "--at", "query=7"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("nothing is there"));
}

TEST(AttentionShowCommand, SaysWhatIsWrong) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string file = recorded(folder);
  const auto refusal = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"attention", "show"});
    const Answer refused = answer(more);
    EXPECT_NE(refused.exit_code, 0);
    return refused.err;
  };
  EXPECT_THAT(refusal({file, "mass.ste"}), HasSubstr("Did you mean 'mass.step'?"));
  EXPECT_THAT(refusal({file, "mass.offset"}), HasSubstr("--statistics mass.offset"));
  EXPECT_THAT(refusal({file, "--of", "deviation"}), HasSubstr("which array?"));
  for (const char* of : {"deviation", "interval", "1"}) {
    const Answer shown = answer({"attention", "show", file, "mass.step", "--of", of});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, AnyOf(HasSubstr("between 2 images"), HasSubstr("mean of 2 images"),
                                 HasSubstr("image 1")));
  }
  EXPECT_THAT(refusal({file, "mass.step", "--of", "median"}), HasSubstr("deviation, interval"));
  EXPECT_THAT(refusal({file, "mass.step", "--of", "2"}), HasSubstr("images 0..1"));
  EXPECT_THAT(refusal({file, "map.raw", "--of", "0"}), HasSubstr("first image"));
  EXPECT_THAT(refusal({file, "mass.step", "--rows", "laye"}), HasSubstr("Did you mean 'layer'?"));
  EXPECT_THAT(refusal({file, "mass.step", "--at", "layer"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refusal({file, "mass.step", "--at", "layer=3"}), HasSubstr("0..2"));
  EXPECT_THAT(refusal({file, "mass.step", "--rows", "step", "--columns", "step"}),
              HasSubstr("two different"));
  EXPECT_THAT(refusal({file, "mass.step", "--out", "a.jpg"}), HasSubstr(".svg, .png, .pdf"));
  EXPECT_THAT(refusal({file, "--out", "a.svg"}), HasSubstr("which array"));
  EXPECT_THAT(refusal({(folder / "none.h5").string()}), HasSubstr("none.h5"));
  std::ofstream(folder / "notes.h5") << "notes";
  EXPECT_THAT(refusal({(folder / "notes.h5").string()}), HasSubstr("notes.h5"));
}

TEST(AttentionRecordCommand, RecordsTheChosenStatistics) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string file = (folder / "attention.h5").string();
  const auto record = [&](const std::string& statistics) {
    std::vector<std::string> words = {"attention", "record",       "--out",
                                      file,        "--statistics", statistics};
    const std::vector<std::string> model = tiny_model();
    words.insert(words.end(), model.begin(), model.end());
    return answer(words);
  };
  const Answer made = record("mass.key,entropy.window");
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const AttentionRecord read = read_attention(file);
  EXPECT_EQ(read.arrays.size(), 2);
  EXPECT_EQ(read.images, 5);
  EXPECT_EQ(read.head_dim, 16);
  EXPECT_THAT(record("mass.ke").err, HasSubstr("Did you mean 'mass.key'?"));
  EXPECT_THAT(record("mass.condition").err, HasSubstr("next-token models"));
  const Answer roles = answer({"attention", "roles", file});
  EXPECT_EQ(roles.exit_code, 3);
  EXPECT_THAT(roles.err, HasSubstr("kvscope attention record --statistics"));
}

}  // namespace
}  // namespace kvscope
