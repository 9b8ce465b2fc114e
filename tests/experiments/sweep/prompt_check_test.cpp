// What is known of prompts before the first image is said before it.
#include "experiments/sweep/prompt_check.h"

#include <fstream>

#include "core/base/error.h"
#include "core/image/png.h"
#include "sweep_testing.h"
#include "tests/support/program_answer.h"
#include "tests/test_files.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Texts = std::vector<std::string>;

std::string long_text() {
  std::string text = "a red circle";
  for (int i = 0; i < 12; ++i) text += " left of a blue square";
  return text;
}

fs::path prompts_file(const std::string& content) {
  const fs::path path = test_file("prompts.txt");
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string refusal(const Texts& overrides, ErrorKind kind = ErrorKind::kConfig) {
  try {
    PointList list = points_of(overrides, PointIdentity::kNone, false);
    check_prompts(list.points, data_root().string());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(PromptCheck, EveryFamilyRefusesWhatItWouldCutOrNotTake) {
  const fs::path file = prompts_file("a red circle\n\n" + long_text() + "\na blue square\n");
  const Texts from_file = {"prompts=file", "prompts.file=" + file.string(), "gen.images=null"};
  for (const char* model : {"model=shapes_next_scale", "model=shapes_next_token"}) {
    EXPECT_THAT(
        refusal(Texts{model} + from_file),
        AllOf(HasSubstr(file.string() + ":3: the prompt 'a red circle left of"),
              HasSubstr("text tokens, the model takes"), HasSubstr("model.text.overflow=cut")));
    EXPECT_EQ(refusal(Texts{model, "model.text.overflow=cut"} + from_file), "accepted");
    EXPECT_EQ(refusal(Texts{model, "prompt='a red circle'"}), "accepted");
  }
  for (const char* model : {"model=var_d16", "model=llamagen_b"}) {
    EXPECT_THAT(refusal(Texts{model} + from_file),
                AllOf(HasSubstr(file.string() + ":1: "), HasSubstr(":3: "), HasSubstr(":4: "),
                      HasSubstr("is no class of this model; expected a number in 0..999")));
    EXPECT_EQ(refusal({model, "prompt=207"}), "accepted");
  }
  EXPECT_EQ(refusal(Texts{"model=infinity_2b"} + from_file), "accepted")
      << "random weights have no tokenizer";
  fs::remove(file);
}

TEST(PromptCheck, OtherTextThanUtf8IsRefusedWithItsLine) {
  const fs::path file = prompts_file("a red circle\ncaf\xe9\n");
  EXPECT_THAT(refusal({"prompts=file", "prompts.file=" + file.string(), "gen.images=null"},
                      ErrorKind::kInput),
              HasSubstr(file.string() + ":2: "));
  fs::remove(file);
  const fs::path marked = prompts_file(
      "\xef\xbb\xbf"
      "a red circle\n");
  PointList list = points_of({"prompts=file", "prompts.file=" + marked.string(), "gen.images=null"},
                             PointIdentity::kNone, false);
  EXPECT_EQ(list.points.front().prompts.front().text, "a red circle");
  fs::remove(marked);
}

TEST(PromptCheck, ASweepWithOneBadPromptMakesNothing) {
  const fs::path file = prompts_file("a red circle\n" + long_text() + "\n");
  const ResultsFolder folder("bad_prompt");
  const Answer run = answer({"run", "prompts=file", "prompts.file=" + file.string(),
                             "gen.images=null", "hydra.run.dir=" + folder.path().string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr(file.string() + ":2: "));
  EXPECT_FALSE(fs::exists(folder.path()));
  fs::remove(file);
}

TEST(PromptCheck, WhatIsCutIsSaidInTheImage) {
  const fs::path image = test_file("cut.png");
  for (const char* model : {"model=shapes_next_scale", "model=shapes_next_token"}) {
    const Answer made = answer({"generate", model, "model.text.overflow=cut", "model.layers=null",
                                "prompt=" + long_text(), "--out", image.string()});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const PngText text = read_png(image).text;
    EXPECT_EQ(text.at("prompt"), long_text());
    EXPECT_GT(std::stoi(text.at("prompt_cut_tokens")), 0);
  }
  fs::remove(image);
}

TEST(PromptCheck, OutputsThatCannotBeAreRefusedBeforeTheFirstImage) {
  const fs::path folder = test_file("none");
  const std::string jpeg = (folder / "pic.jpg").string();
  EXPECT_EQ(answer({"generate", "prompt=a circle", "--out", jpeg}).exit_code, 2);
  const Answer nowhere = answer({"generate", "prompt=a circle", "--out", "/proc/nope/pic.png"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.err, Not(HasSubstr("s, KV cache")));
  const Answer record = answer({"attention", "record", "gen.images=1", "--out", "/proc/nope/a.h5"});
  EXPECT_EQ(record.exit_code, 3);
  EXPECT_THAT(record.err, Not(HasSubstr("recorded")));
  EXPECT_EQ(answer({"attention", "record", "gen.images=1", "--out", "a.png"}).exit_code, 2);
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace kvscope
