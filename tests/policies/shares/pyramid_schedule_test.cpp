// PyramidKV's schedules against the equations.
#include "policies/shares/pyramid_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace kvscope {
namespace {

int64_t sum(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

TEST(PyramidIntegers, FallsOnALineOfWholeTokens) {
  // c = 56, lowest 2, highest 110, slope 108 / 7 = 15, window 8 on top.
  EXPECT_EQ(pyramid_integers(64, 8, 8, 608, 20),
            (std::vector<int64_t>{118, 103, 88, 73, 58, 43, 28, 13}));
  // Clamped: highest = 112 - 8 = 104, lowest = 112 - 104 = 8, slope 96.
  EXPECT_EQ(pyramid_integers(64, 8, 2, 112, 20), (std::vector<int64_t>{112, 16}));
}

TEST(PyramidIntegers, KeepsTheBudgetWhereThereIsNoLine) {
  EXPECT_EQ(pyramid_integers(64, 8, 3, 63, 20), (std::vector<int64_t>{63, 63, 63}));
  EXPECT_EQ(pyramid_integers(64, 8, 3, 111, 20), (std::vector<int64_t>{64, 64, 64}));
  EXPECT_EQ(pyramid_integers(64, 8, 1, 608, 20), (std::vector<int64_t>{64}));
  EXPECT_EQ(pyramid_integers(64, 64, 3, 608, 20), (std::vector<int64_t>{64, 64, 64}));
}

TEST(PyramidIntegers, ExceedsTheMeanByLessThanHalfTheLayers) {
  for (int64_t tokens = 40; tokens < 400; tokens += 13) {
    for (int64_t budget = 9; budget <= tokens; budget += 7) {
      for (const int64_t layers : {2, 3, 5, 32}) {
        const std::vector<int64_t> kept = pyramid_integers(budget, 5, layers, tokens, 20);
        EXPECT_TRUE(std::ranges::is_sorted(kept, std::greater<>()));
        EXPECT_LE(kept.front(), tokens);
        EXPECT_GE(kept.back(), 5);
        EXPECT_GE(sum(kept), budget * layers);
        EXPECT_LT(sum(kept), budget * layers + layers * (layers - 1) / 2 + 1);
      }
    }
  }
}

TEST(PyramidDoubles, CountsIncludeTheWindowAndHalvesGoToEven) {
  // c = 40, lowest 8, highest 72, slope 64 / 3.
  EXPECT_EQ(pyramid_doubles(40, 4, 4, 100, 5), (std::vector<int64_t>{72, 51, 29, 8}));
  // lowest 2.5 is below a window of 4: the share in every layer, 12.5 rounded to 12.
  EXPECT_EQ(pyramid_doubles(12.5, 4, 3, 100, 5), (std::vector<int64_t>{12, 12, 12}));
  EXPECT_EQ(pyramid_doubles(13.5, 4, 1, 100, 5), (std::vector<int64_t>{14}));
}

}  // namespace
}  // namespace kvscope
