#include "core/models/next_scale/guidance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(PerScale, RepeatsOneValueAndTakesAList) {
  EXPECT_EQ(per_scale({2.5}, 3, "gen.cfg"), (std::vector<double>{2.5, 2.5, 2.5}));
  EXPECT_EQ(per_scale({1, 2, 3}, 3, "gen.cfg"), (std::vector<double>{1, 2, 3}));
  try {
    per_scale({1, 2}, 3, "gen.tau");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("gen.tau has 2 values"));
  }
}

TEST(CacheRows, AreTwoAnImageWhereAnyScaleIsGuided) {
  EXPECT_EQ(cache_rows(3, {1.0}), 3);
  EXPECT_EQ(cache_rows(3, {1, 1, 4}), 6);
  EXPECT_EQ(cache_rows(3, {0.0}), 6);
  EXPECT_EQ(cache_rows(3, {0.0}, 0.0), 3);
  EXPECT_EQ(cache_rows(3, {1.0}, 0.0), 6);
}

}  // namespace
}  // namespace kvscope
