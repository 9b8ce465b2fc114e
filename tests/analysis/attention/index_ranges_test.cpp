#include "analysis/attention/index_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(IndexRanges, AreReadAndWritten) {
  EXPECT_EQ(index_ranges("0,7..9", "--layers"), (std::vector<IndexRange>{{0, 0}, {7, 9}}));
  EXPECT_EQ(index_ranges(" 3 , 4..4", "--layers"), (std::vector<IndexRange>{{3, 3}, {4, 4}}));
  EXPECT_EQ(text_of(index_ranges("0,7..9", "")), "0, 7..9");
  EXPECT_EQ(ranges_of({0, 1, 2, 5, 7, 8}), (std::vector<IndexRange>{{0, 2}, {5, 5}, {7, 8}}));
  EXPECT_TRUE(ranges_of({}).empty());
}

TEST(IndexRanges, OthersAreRefused) {
  for (const char* text : {"a", "1..", "..2", "3..1", "-1", "1,,2", "1.5", "0x1", "1 2",
                           "99999999999999999999", "1...3", ","}) {
    try {
      (void)index_ranges(text, "record.layers");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("record.layers"),
                                               testing::HasSubstr("0,7..9")));
    }
  }
}

TEST(IndexRanges, NameIndicesOfAModel) {
  EXPECT_EQ(indices_in({{1, 2}}, 4, "layers"), (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(indices_in({}, 2, "layers"), (std::vector<bool>{true, true}));
  EXPECT_THROW((void)indices_in({{2, 4}}, 4, "layers"), Error);
  EXPECT_EQ(indices_named({{1, 9}, {7, 7}}, 3), (std::vector<bool>{false, true, true}));
}

}  // namespace
}  // namespace kvscope
