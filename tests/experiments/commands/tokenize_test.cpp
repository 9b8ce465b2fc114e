#include "experiments/commands/tokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "test_paths.h"
#include "tests/support/program_answer.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kGolden = fs::path(kSourceDir) / "tests/golden";

std::string bpe() {
  return (kGolden / "bpe_tiny").string();
}

TEST(TokenizeCommand, PrintsIdsOneLineEach) {
  const Answer lines = answer({"tokenize", bpe()}, "hello\n\n a\nlast");
  EXPECT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_THAT(lines.out, testing::MatchesRegex("1500 [0-9 ]+\n1500\n1500 243\n1500 [0-9 ]+\n"));
  EXPECT_EQ(answer({"tokenize", bpe()}).out, "");
  // Only \n ends a line.
  EXPECT_EQ(answer({"tokenize", bpe()}, "a\r\n").out, "1500 64 188\n");
}

TEST(TokenizeCommand, JsonStringsMayHoldLineBreaks) {
  const Answer json = answer({"tokenize", bpe(), "--json"}, "\"a\\nb\"\n\"\\u00f6\"\n");
  EXPECT_EQ(json.exit_code, 0) << json.err;
  EXPECT_EQ(json.out, "[1500,64,185,65]\n[1500,1503]\n");
}

TEST(TokenizeCommand, KnowsATokenizerByWhatItIs) {
  for (const fs::path& path : {kGolden / "bpe_tiny", kGolden / "bpe_tiny/tokenizer_pairs.json"}) {
    EXPECT_EQ(answer({"tokenize", path.string()}, "a").out, "1500 64\n") << path;
  }
  const std::string pieces =
      answer({"tokenize", (kGolden / "sp_unigram_tiny.model").string()}, "a").out;
  EXPECT_TRUE(pieces.ends_with(" 1\n")) << pieces;
  // A folder with one .model, and the same files under other names.
  const fs::path folder = fs::path(testing::TempDir()) / "tokenize_folder";
  fs::remove_all(folder);
  fs::create_directories(folder);
  fs::copy_file(kGolden / "sp_unigram_tiny.model", folder / "spiece.model");
  EXPECT_EQ(answer({"tokenize", folder.string()}, "a").out, pieces);
  fs::rename(folder / "spiece.model", folder / "pieces");
  EXPECT_EQ(answer({"tokenize", (folder / "pieces").string()}, "a").out, pieces);
  fs::copy_file(kGolden / "bpe_tiny/tokenizer.json", folder / "merges");
  fs::copy_file(kGolden / "bpe_tiny/tokenizer_config.json", folder / "tokenizer_config.json");
  EXPECT_EQ(answer({"tokenize", (folder / "merges").string()}, "a").out, "1500 64\n");
}

TEST(TokenizeCommand, ReadsAFile) {
  const fs::path file = fs::path(testing::TempDir()) / "tokenize.txt";
  std::ofstream(file) << "a\nb\n";
  EXPECT_EQ(answer({"tokenize", bpe(), file.string()}, "c").out, "1500 64\n1500 65\n");
  std::ofstream(file) << "\"a\"\nb\n";
  const Answer damaged = answer({"tokenize", bpe(), file.string(), "--json"});
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_EQ(damaged.out, "[1500,64]\n");
  EXPECT_THAT(damaged.err, AllOf(HasSubstr(file.string() + ":2"), HasSubstr("JSON string")));
}

TEST(TokenizeCommand, BadInputNamesItsLine) {
  for (const std::string line : {"17", "[\"a\"]", "\"a\" \"b\"", "\"a", "\"\\ud800\"", "{}", ""}) {
    const Answer bad = answer({"tokenize", bpe(), "--json"}, "\"a\"\n" + line + "\n");
    EXPECT_EQ(bad.exit_code, 3) << line;
    EXPECT_THAT(bad.err, AllOf(HasSubstr("standard input:2"), HasSubstr("JSON string"))) << line;
  }
  for (const std::string& name : {std::string("bpe_tiny"), std::string("sp_unigram_tiny.model")}) {
    const Answer bytes = answer({"tokenize", (kGolden / name).string()}, "a\nb\xFF\n");
    EXPECT_EQ(bytes.exit_code, 3);
    EXPECT_THAT(bytes.err, AllOf(HasSubstr("standard input:2"), HasSubstr("UTF-8 at byte 1")));
  }
}

TEST(TokenizeCommand, BadTokenizersAreNamed) {
  const Answer missing = answer({"tokenize", "no/such.model"}, "a");
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, HasSubstr("no/such.model"));
  const fs::path folder = fs::path(testing::TempDir()) / "tokenize_none";
  fs::remove_all(folder);
  fs::create_directories(folder);
  EXPECT_THAT(answer({"tokenize", folder.string()}, "a").err,
              AllOf(HasSubstr("no tokenizer"), HasSubstr(".model"), HasSubstr("tokenizer.json")));
  for (const char* name : {"a.model", "b.model"}) std::ofstream(folder / name) << "x";
  EXPECT_THAT(answer({"tokenize", folder.string()}, "a").err, HasSubstr("a.model, b.model"));
  EXPECT_THAT(answer({"tokenize", (folder / "a.model").string()}, "a").err,
              HasSubstr("SentencePiece"));
  std::ofstream(folder / "tokenizer.json") << "{\"model\": {\"type\": \"Unigram\"}}";
  EXPECT_THAT(answer({"tokenize", folder.string()}, "a").err,
              AllOf(HasSubstr("'Unigram'"), HasSubstr("BPE")));
  EXPECT_EQ(answer({"tokenize"}).exit_code, 2);
  EXPECT_EQ(answer({"tokenize", bpe(), "--jsno"}).exit_code, 2);
  EXPECT_THAT(answer({"tokenize", bpe(), "no/such.txt"}).err, HasSubstr("no/such.txt"));
}

}  // namespace
}  // namespace kvscope
