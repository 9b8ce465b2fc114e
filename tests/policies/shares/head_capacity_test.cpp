#include "policies/shares/head_capacity.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(FloorDivision, IsExactWhereAQuotientOfDoublesRoundsUp) {
  EXPECT_EQ(floor_division(64, 1.01), 63);
  EXPECT_EQ(floor_division(1, 0.1), 9);  // 0.1 is above a tenth, yet 1 / 0.1 is 10
  EXPECT_EQ(floor_division(6, 2), 3);
  EXPECT_EQ(floor_division(0, 2), 0);
}

TEST(HeadCapacities, ShareThePoolByImportance) {
  // C // beta = 20, so each head has 20 of its own and four times 20 are shared.
  const auto capacity = head_capacities({{1, 3}, {0, 4}}, 40, 2);
  EXPECT_EQ(capacity, (std::vector<std::vector<int64_t>>{{30, 50}, {20, 60}}));
  const auto even = head_capacities({{2, 2, 2}, {2, 2, 2}}, 17, 1.01);
  EXPECT_EQ(even, (std::vector<std::vector<int64_t>>{{17, 17, 17}, {17, 17, 17}}));
}

}  // namespace
}  // namespace kvscope
