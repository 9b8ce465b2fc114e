#include "policies/selection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kvscope {
namespace {

TEST(KeepBest, TakesProtectedThenBestThenTheLowerIndex) {
  const std::vector<float> scores{1, 5, 5, 5, 0, 9, 5};
  const std::vector<uint8_t> free(7, 0);
  EXPECT_EQ(keep_best(scores, free, 3), (std::vector<int64_t>{1, 2, 5}));
  EXPECT_EQ(keep_best(scores, free, 4), (std::vector<int64_t>{1, 2, 3, 5}));
  EXPECT_EQ(keep_best(scores, {{0, 0, 0, 0, 1, 0, 1}}, 4), (std::vector<int64_t>{1, 4, 5, 6}));
  EXPECT_EQ(keep_best(scores, {{0, 0, 0, 0, 1, 0, 1}}, 2), (std::vector<int64_t>{4, 6}));
  EXPECT_EQ(keep_best(scores, free, 7), (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(keep_best(scores, free, 0).empty());
}

TEST(KeepBest, TorchTopKDiffersOnlyAmongEqualScores) {
  const std::vector<float> scores{1, 5, 5, 5, 0, 9, 5};
  const auto kept = keep_best(scores, {{0, 0, 0, 0, 1, 0, 0}}, 4, TieRule::kTorchTopK);
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  int fives = 0;
  for (const int64_t token : kept) fives += scores[token] == 5 ? 1 : 0;
  EXPECT_EQ(fives, 2);
  EXPECT_EQ(std::count(kept.begin(), kept.end(), 4) + std::count(kept.begin(), kept.end(), 5), 2);
}

TEST(KeepBest, DroppingOneEqualsAFullSort) {
  const std::vector<uint8_t> is_protected{1, 0, 0, 0, 1, 0, 0, 1};
  for (const std::vector<float>& scores :
       {std::vector<float>{0, 3, 1, 1, -9, 1, 4, -9}, std::vector<float>(8, 2.0F),
        std::vector<float>{5, -1, 0, 2, 1, 9, 8, 7}}) {
    std::vector<int64_t> order{1, 2, 3, 5, 6};  // those that may go, the worst last
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t left, int64_t right) { return scores[left] > scores[right]; });
    std::vector<int64_t> expected{0, 1, 2, 3, 4, 5, 6, 7};
    std::erase(expected, order.back());
    EXPECT_EQ(keep_best(scores, is_protected, 7), expected);
  }
}

}  // namespace
}  // namespace kvscope
