#include "policies/index_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

IndexRanges read(const std::string& value, const std::string& word = "all") {
  const ConfigNode node = load_yaml_text("{heads: " + value + "}", "test");
  Options options("policy.read", node);
  return IndexRanges::from_option(options, {.key = "heads", .default_word = word, .help = "h"});
}

std::vector<int64_t> first_ten(const IndexRanges& ranges) {
  std::vector<int64_t> found;
  for (int64_t index = 0; index < 10; ++index) {
    if (ranges.contains(index)) found.push_back(index);
  }
  return found;
}

TEST(IndexRanges, AreWordsNumbersAndRanges) {
  using testing::ElementsAre;
  EXPECT_THAT(first_ten(read("[0, 2-4, 7]")), ElementsAre(0, 2, 3, 4, 7));
  EXPECT_THAT(first_ten(read("5")), ElementsAre(5));
  EXPECT_THAT(first_ten(read("8-12")), ElementsAre(8, 9));
  EXPECT_EQ(read("[3, 1-6]").largest(), 6);
  EXPECT_EQ(first_ten(read("all", "none")).size(), 10);
  EXPECT_EQ(read("all").largest(), -1);
  EXPECT_TRUE(read("none").empty());
  EXPECT_TRUE(read("[]").empty());
}

TEST(IndexRanges, ADefaultIsAWord) {
  const ConfigNode nothing;
  Options options("policy.read", nothing);
  EXPECT_TRUE(
      IndexRanges::from_option(options, {.key = "steps", .default_word = "none", .help = "h"})
          .empty());
  EXPECT_TRUE(
      IndexRanges::from_option(options, {.key = "heads", .default_word = "all", .help = "h"})
          .contains(1 << 20));
}

TEST(IndexRanges, RefuseEverythingElse) {
  for (const char* wrong : {"-1", "[1, -2]", "5-3", "1.5", "some", "[1-]", "{a: 1}", "[[1]]"}) {
    EXPECT_THAT([&] { (void)read(wrong); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("policy.read.heads")))
        << wrong;
  }
}

std::string as_read(const std::string& text) {
  return IndexRanges::from_text(text, "--layers").text();
}

TEST(IndexRanges, OfCommandsAreReadAndWritten) {
  using testing::ElementsAre;
  EXPECT_THAT(first_ten(IndexRanges::from_text("0,7..9", "--layers")), ElementsAre(0, 7, 8, 9));
  EXPECT_THAT(first_ten(IndexRanges::from_text(" 3 , 4..4", "--layers")), ElementsAre(3, 4));
  EXPECT_THAT(first_ten(IndexRanges::from_text("1..12,7", "--layers")),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(as_read("0,7..9"), "0, 7..9");
  EXPECT_EQ(as_read(""), "");
  EXPECT_EQ(IndexRanges::of(std::vector<int64_t>{0, 1, 2, 5, 7, 8}).text(), "0..2, 5, 7..8");
  EXPECT_TRUE(IndexRanges::of({}).empty());
  EXPECT_TRUE(IndexRanges::all().is_all());
  EXPECT_EQ(IndexRanges::all().text(), "");
  EXPECT_FALSE(IndexRanges::from_text("0..99", "--layers").is_all());
  IndexRanges both = IndexRanges::from_text("1", "--layers");
  both.add(IndexRanges::from_text("3..4", "--layers"));
  EXPECT_EQ(both.text(), "1, 3..4");
}

TEST(IndexRanges, OfCommandsRefuseEverythingElse) {
  for (const char* wrong : {"a", "1..", "..2", "3..1", "-1", "1,,2", "1.5", "0x1", "1 2",
                            "99999999999999999999", "0..9223372036854775807", "1...3", ","}) {
    EXPECT_THAT([&] { (void)IndexRanges::from_text(wrong, "record.layers"); },
                testing::ThrowsMessage<Error>(testing::AllOf(testing::HasSubstr("record.layers"),
                                                             testing::HasSubstr("0,7..9"))))
        << wrong;
  }
}

}  // namespace
}  // namespace kvscope
