#include "core/text/tokenizers/byte_pair_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "test_paths.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kFolder = fs::path(kSourceDir) / "tests/golden/bpe_tiny";

nlohmann::json golden() {
  std::ifstream stream(fs::path(kSourceDir) / "tests/golden/bpe_cases.json");
  return nlohmann::json::parse(stream);
}

TEST(BytePairTokenizer, EqualsTheReferenceOnEveryGoldenCase) {
  for (const char* name : {"", "tokenizer.json", "tokenizer_pairs.json"}) {
    const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kFolder / name);
    size_t checked = 0;
    const nlohmann::json cases = golden();
    for (const auto& entry : cases.at("cases")) {
      const std::string text = entry.at("text");
      const std::vector<int64_t> expected = entry.at("ids");
      EXPECT_EQ(tokenizer.encode(text), expected) << name << ": " << entry.at("text").dump();
      const std::vector<int64_t> plain = tokenizer.encode_plain(text);
      EXPECT_EQ(std::vector<int64_t>(expected.begin() + 1, expected.end()), plain);
      EXPECT_EQ(tokenizer.decode(plain), text);
      ++checked;
    }
    EXPECT_EQ(checked, 215);
  }
}

TEST(BytePairTokenizer, LooksTokensUpByString) {
  const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kFolder);
  EXPECT_EQ(tokenizer.id_of("<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>"), 1500);
  EXPECT_EQ(tokenizer.id_of("<\uFF5C\u2581pad\u2581\uFF5C>"), 1515);
  EXPECT_EQ(tokenizer.id_of("<begin_of_image>"), 1516);
  EXPECT_EQ(tokenizer.id_of("<|Assistant|>"), 1520);
  EXPECT_EQ(tokenizer.id_of("A"), 32);
  EXPECT_EQ(tokenizer.id_of("<no such token>"), std::nullopt);
  EXPECT_EQ(tokenizer.vocabulary(), 1524);
}

TEST(BytePairTokenizer, SpecialIdsDecodeToTheirText) {
  const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kFolder);
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{1516, 32, 1503}), "<begin_of_image>A\u00F6");
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_THROW((void)tokenizer.decode(std::vector<int64_t>{1524}), Error);
  EXPECT_THROW((void)tokenizer.decode(std::vector<int64_t>{-1}), Error);
}

TEST(BytePairTokenizer, TextMustBeUtf8AndOfBoundedLength) {
  const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kFolder);
  EXPECT_THROW((void)tokenizer.encode("ab\xFFz"), Error);
  EXPECT_THROW((void)tokenizer.encode(std::string(5 << 20, 'a')), Error);
  EXPECT_THAT(tokenizer.encode(std::string("a\0b", 3)).size(), 4);
}

// Cutting at an added token and tokenizing the parts alone is the same thing.
TEST(BytePairTokenizer, AddedTokensSeparateTexts) {
  const BytePairTokenizer tokenizer = BytePairTokenizer::from_file(kFolder);
  std::vector<int64_t> expected = tokenizer.encode("two words ");
  expected.push_back(1519);
  for (const int64_t id : tokenizer.encode_plain("  and 3 more\n")) expected.push_back(id);
  EXPECT_EQ(tokenizer.encode("two words <|User|>  and 3 more\n"), expected);
}

TEST(BytePairTokenizer, MissingFilesAreNamed) {
  for (const fs::path& path :
       {kFolder / "no.json", kFolder / "no/such/folder", fs::path(testing::TempDir())}) {
    try {
      (void)BytePairTokenizer::from_file(path);
      ADD_FAILURE() << "found " << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
  }
}

}  // namespace
}  // namespace kvscope
