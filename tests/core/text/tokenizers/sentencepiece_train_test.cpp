#include "core/text/tokenizers/sentencepiece_train.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizers/sentencepiece.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> captions() {
  std::vector<std::string> result;
  for (const char* size : {"small", "large", "huge"}) {
    for (const char* color : {"red", "green", "blue", "yellow", "white"}) {
      for (const char* shape : {"circle", "square", "triangle", "star"}) {
        result.push_back(std::string("a ") + size + " " + color + " " + shape);
        result.push_back(std::string("two ") + color + " " + shape + "s on a dark background");
      }
    }
  }
  return result;
}

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(SentencePieceTrain, LearnsAModelWithTheIdsOfT5TheSameEachTime) {
  const fs::path folder = fs::path(testing::TempDir()) / "sentencepiece_train_test";
  fs::remove_all(folder);
  const std::vector<std::string> sentences = captions();
  train_sentencepiece(sentences, 34, folder / "a.model");
  train_sentencepiece(sentences, 34, folder / "b.model");
  EXPECT_EQ(content(folder / "a.model"), content(folder / "b.model"));

  const SentencePiece tokenizer = SentencePiece::from_file(folder / "a.model");
  EXPECT_EQ(tokenizer.vocabulary(), 34);
  EXPECT_EQ(tokenizer.end_id(), 1);
  EXPECT_EQ(tokenizer.encode("").size(), 1U);
  for (const std::string& sentence : sentences) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(sentence)), sentence);
  }
  const std::vector<int64_t> unknown = tokenizer.encode("\xe6\x97\xa5");
  EXPECT_EQ(unknown[unknown.size() - 2], 2);
}

TEST(SentencePieceTrain, RefusesMorePiecesThanTheSentencesHave) {
  const fs::path path = fs::path(testing::TempDir()) / "sentencepiece_train_test_bad.model";
  EXPECT_THROW(train_sentencepiece(captions(), 5000, path), Error);
  EXPECT_THROW(train_sentencepiece({}, 60, path), Error);
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace kvscope
