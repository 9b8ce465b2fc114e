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

}  // namespace
}  // namespace kvscope
