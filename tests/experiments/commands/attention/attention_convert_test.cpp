// kvscope attention convert-profile, as the program answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "policies/profiles/profile_file.h"
#include "tests/experiments/results/sample_sweep.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

constexpr const char* kHeads =
    "# Variance of heads of shapes_next_scale: a line a layer, 6 heads each\n"
    "# variance over the last scale's queries of what a key receives, summed over keys\n"
    "# mean of 7 images\n"
    "0.6 0.5 0.4 0.3 0.2 0.1\n0.1 0.2 0.3 0.4 0.5 0.6\n0.6 0.5 0.4 0.3 0.2 0.1\n"
    "0.1 0.2 0.3 0.4 0.5 0.6\n0.6 0.5 0.4 0.3 0.2 0.1\n0.1 0.2 0.3 0.4 0.5 0.6\n";

std::vector<std::string> words_of(const std::string& command) {
  std::istringstream stream(command);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// A policy that is given an old table answers with a command, and that command makes what it takes.
TEST(AttentionConvertCommand, TheCommandThatARefusalNamesWorks) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string old = (folder / "old.csv").string();
  std::ofstream(old) << kHeads;
  const auto plan = [](const std::string& heads) {
    return answer({"plan", "model=shapes_next_scale", "policy=hack", "budget.ratio=0.2",
                   "policy.allocate.heads=" + heads});
  };
  const Answer refused = plan(old);
  EXPECT_NE(refused.exit_code, 0);
  const std::string opening = "Convert it: kvscope ";
  const size_t at = refused.err.find(opening);
  ASSERT_NE(at, std::string::npos) << refused.err;
  const Answer converted = answer(words_of(refused.err.substr(at + opening.size())));
  EXPECT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_THAT(converted.out, HasSubstr("kind heads, variance of shapes_next_scale"));
  const Answer taken = plan((folder / "old.yaml").string());
  EXPECT_EQ(taken.exit_code, 0) << taken.err;
  const Profile profile = read_profile(folder / "old.yaml", ProfileKind::kHeads);
  EXPECT_EQ(
      profile.shape,
      (ProfileShape{.layers = 6, .heads = 6, .head_dim = 32, .steps = 9, .next_token = false}));
  EXPECT_EQ(profile.source.prompts, 7);
  EXPECT_EQ(profile.values[1], (std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5, 0.6}));
}

TEST(AttentionConvertCommand, SaysWhatIsWrong) {
  const std::filesystem::path folder = fresh_folder("a");
  const std::string old = (folder / "old.csv").string();
  std::ofstream(old) << kHeads;
  const auto refusal = [&](const std::string& file, const std::string& model) {
    const Answer refused = answer({"attention", "convert-profile", file, "--model", model, "--out",
                                   (folder / "new.yaml").string()});
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_FALSE(std::filesystem::exists(folder / "new.yaml"));
    return refused.err;
  };
  EXPECT_THAT(refusal(old, "janus_pro_1b"), HasSubstr("janus_pro_1b has 24 layers x 16 heads"));
  EXPECT_THAT(refusal(old, "shapes_next_scal"), HasSubstr("shapes_next_scale"));
  EXPECT_THAT(refusal((folder / "none.csv").string(), "shapes_next_scale"), HasSubstr("none.csv"));
  std::ofstream(folder / "words.txt") << "words\n";
  EXPECT_THAT(refusal((folder / "words.txt").string(), "shapes_next_scale"),
              HasSubstr("words.txt: neither a table"));
}

}  // namespace
}  // namespace kvscope
