#include "core/text/tokenizers/sentencepiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(kSourceDir) / "tests/golden";
const std::filesystem::path kModel = kGolden / "sp_unigram_tiny.model";

TEST(SentencePiece, MatchesEveryRecordedCase) {
  const SentencePiece tokenizer = SentencePiece::from_file(kModel);
  std::ifstream stream(kGolden / "sp_cases.json");
  const nlohmann::json golden = nlohmann::json::parse(stream);
  ASSERT_EQ(golden.at("cases").size(), 170U);
  for (const nlohmann::json& entry : golden.at("cases")) {
    const std::string text = entry.at("text");
    std::optional<int64_t> max_length;
    if (entry.contains("max_length")) max_length = entry.at("max_length").get<int64_t>();
    EXPECT_EQ(tokenizer.encode(text, max_length), entry.at("ids").get<std::vector<int64_t>>())
        << text;
  }
}

TEST(SentencePiece, LoadsFromBytesAndDecodes) {
  std::ifstream stream(kModel, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const SentencePiece tokenizer = SentencePiece::from_bytes(bytes, "inside a checkpoint");
  EXPECT_EQ(tokenizer.vocabulary(), 600);
  EXPECT_EQ(tokenizer.end_id(), 1);
  const std::string text = "a small red circle left of a large blue square";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_EQ(tokenizer.decode({}), "");
}

TEST(SentencePiece, CutsToMaxLengthWithTheEndKept) {
  const SentencePiece tokenizer = SentencePiece::from_file(kModel);
  const std::vector<int64_t> whole = tokenizer.encode("a small red circle");
  EXPECT_EQ(tokenizer.encode("a small red circle", 512), whole);
  EXPECT_EQ(tokenizer.encode("a small red circle", 1), std::vector<int64_t>{1});
  const std::vector<int64_t> three = tokenizer.encode("a small red circle", 3);
  EXPECT_EQ(three, (std::vector<int64_t>{whole[0], whole[1], 1}));
  EXPECT_THROW(static_cast<void>(tokenizer.encode("a", 0)), Error);
}

TEST(SentencePiece, ErrorsNameTheFileOrTheId) {
  const auto refusal = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal([] { SentencePiece::from_file(kGolden / "absent.model"); }),
              testing::HasSubstr("absent.model"));
  EXPECT_THAT(refusal([] { SentencePiece::from_file(kGolden / "sp_cases.json"); }),
              testing::HasSubstr("sp_cases.json: expected a SentencePiece model"));
  EXPECT_THAT(refusal([] { SentencePiece::from_bytes("", "nothing"); }),
              testing::HasSubstr("nothing: expected"));
  const SentencePiece tokenizer = SentencePiece::from_file(kModel);
  const std::vector<int64_t> foreign{4, 600};
  EXPECT_THAT(refusal([&] { static_cast<void>(tokenizer.decode(foreign)); }),
              testing::HasSubstr("600"));
}

}  // namespace
}  // namespace kvscope
