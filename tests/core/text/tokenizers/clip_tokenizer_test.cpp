#include "core/text/tokenizers/clip_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "test_paths.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kFolder = fs::path(kSourceDir) / "tests/golden/clip_bpe";

TEST(ClipTokenizer, EveryPublishedFormHasTheSameIds) {
  const std::string text = "It's 35mm: caf\u00e9 \u65e5\u672c &amp;amp; <|endoftext|> A photo!";
  const std::vector<int64_t> ids =
      ClipTokenizer::from_file(kFolder / "bpe_tiny.txt.gz").encode(text, ClipText::kOpenAi);
  for (const fs::path& form : {kFolder, kFolder / "tokenizer.json", kFolder / "vocab.json"}) {
    EXPECT_EQ(ClipTokenizer::from_file(form).encode(text, ClipText::kOpenAi), ids) << form;
  }
}

TEST(ClipTokenizer, ARowEndsWithZerosOrIsCutWithTheEndLast) {
  const ClipTokenizer tokenizer = ClipTokenizer::from_file(kFolder);
  const ClipTokenizer::Row whole = tokenizer.row("a photo", 6, ClipText::kOpenAi);
  EXPECT_FALSE(whole.is_cut);
  EXPECT_THAT(whole.ids, ElementsAre(875, 320, 518, 876, 0, 0));
  const ClipTokenizer::Row cut = tokenizer.row("a photo a photo a photo", 5, ClipText::kOpenAi);
  EXPECT_TRUE(cut.is_cut);
  EXPECT_THAT(cut.ids, ElementsAre(875, 320, 518, 320, 876));
}

TEST(ClipTokenizer, RefusesDamagedFilesByNameAndPlace) {
  const fs::path folder = fs::path(testing::TempDir()) / "kvscope_clip_tokenizer";
  fs::create_directories(folder);
  const auto refusal = [&](const char* name, const std::string& content) {
    std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << content;
    try {
      ClipTokenizer::from_file(folder / name);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr(name));
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  EXPECT_THAT(refusal("bpe.txt", "#version\na b\nonly\nc d\n"), HasSubstr("line 3"));
  EXPECT_THAT(refusal("bpe_unknown.txt", "#version\nzz qq\n"), HasSubstr("not in the vocabulary"));
  EXPECT_THAT(refusal("tokenizer.json", R"({"model": {"vocab": {"a": 0}, "merges": []}})"),
              HasSubstr("no vocabulary of CLIP"));
  EXPECT_THAT(refusal("cut.txt.gz", std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00", 8)),
              HasSubstr("cut"));
  EXPECT_THROW(ClipTokenizer::from_file(folder / "nothing.txt"), Error);
}

}  // namespace
}  // namespace kvscope
