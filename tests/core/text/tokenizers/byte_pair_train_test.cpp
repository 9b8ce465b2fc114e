#include "core/text/tokenizers/byte_pair_train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/text/tokenizers/byte_pair_tokenizer.h"

namespace kvscope {
namespace {

std::filesystem::path file(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / name;
}

TEST(TrainBytePairs, WordsThatAreFrequentBecomeOneToken) {
  const std::vector<std::string> captions = {"a red circle", "two red circles", "a red square"};
  train_byte_pairs(captions, 300, file("pairs.json"));
  const auto tokenizer = BytePairTokenizer::from_file(file("pairs.json"));
  // BOS, then " a", " red", " circle", " square".
  const std::vector<int64_t> ids = tokenizer.encode(" a red circle square");
  ASSERT_EQ(ids.size(), 5u);
  EXPECT_EQ(ids[0], tokenizer.id_of("<｜begin▁of▁sentence｜>"));
  EXPECT_EQ(ids[1], tokenizer.id_of("Ġa"));
  EXPECT_EQ(ids[2], tokenizer.id_of("Ġred"));
  EXPECT_LE(tokenizer.vocabulary(), 300);
}

TEST(TrainBytePairs, TheMostFrequentPairComesFirstAndTheFirstOfEquals) {
  // " ab" twice, " cb" once: ab and Ġa occur twice; a comes before Ġ.
  train_byte_pairs(std::vector<std::string>{"ab ab cb"}, 265, file("two.json"));
  std::ifstream stream(file("two.json"));
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const auto merges = text.substr(text.find("\"merges\""));
  EXPECT_THAT(merges, testing::HasSubstr("\"a b\",\n   \"Ġ ab\""));
}

TEST(TrainBytePairs, AnyTextGoesThroughAndBack) {
  train_byte_pairs(std::vector<std::string>{"a red circle"}, 280, file("any.json"));
  const auto tokenizer = BytePairTokenizer::from_file(file("any.json"));
  const std::string text = "Größe 3 × 4\n\n<|User|>漢字";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_plain(text)), text);
}

TEST(TrainBytePairs, RefusesAVocabularyWithoutRoom) {
  try {
    train_byte_pairs(std::vector<std::string>{"a"}, 200, file("none.json"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("263"));
  }
}

}  // namespace
}  // namespace kvscope
