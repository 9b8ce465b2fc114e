// Rows of a prefill: order, padding, classes.
#include "core/models/next_token/conditions.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope::next_token {
namespace {

TEST(Conditions, UnconditionalRowsStandBelowWhereTheBatchIsGuided) {
  const std::vector<ConditionRow> rows = condition_rows(3, true);
  ASSERT_EQ(rows.size(), 6);
  for (int64_t row = 0; row < 6; ++row) {
    EXPECT_EQ(rows[static_cast<size_t>(row)].prompt, row % 3);
    EXPECT_EQ(rows[static_cast<size_t>(row)].conditional, row < 3);
  }
  EXPECT_EQ(condition_rows(3, false).size(), 3);
}

TEST(Conditions, PaddingThatNoRowHasIsLeftOut) {
  const at::Tensor embeddings = at::zeros({2, 4, 3});
  EXPECT_TRUE(left_padded(embeddings, {0, 0}).padding.empty());
  EXPECT_EQ(left_padded(embeddings, {0, 2}).padding, (std::vector<int64_t>{0, 2}));
}

TEST(Conditions, RowsMayBeOfAnyPromptInAnyOrder) {
  const at::Tensor table = at::arange(12, at::kFloat).view({4, 3});  // 3 classes and the null class
  const std::vector<ConditionRow> rows = {{1, true}, {0, false}, {0, true}, {1, true}};
  const Condition condition =
      class_condition(table, classes_of_prompts(std::vector<std::string>{"2", " 0 "}, 3), rows);
  ASSERT_EQ(condition.embeddings.sizes(), (std::vector<int64_t>{4, 1, 3}));
  for (const auto& [row, expected] : {std::pair{0, 0}, {1, 3}, {2, 2}, {3, 0}}) {
    EXPECT_TRUE(at::equal(condition.embeddings[row][0], table[expected])) << row;
  }
  EXPECT_THROW(classes_of_prompts(std::vector<std::string>{"3"}, 3), Error);
}

}  // namespace
}  // namespace kvscope::next_token
