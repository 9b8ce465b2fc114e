#include "core/models/shared/guidance.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

TEST(PerStep, RepeatsOneValueAndTakesAList) {
  EXPECT_EQ(per_step({2.5}, 3, "gen.cfg"), (std::vector<double>{2.5, 2.5, 2.5}));
  EXPECT_EQ(per_step({1, 2, 3}, 3, "gen.cfg"), (std::vector<double>{1, 2, 3}));
  try {
    per_step({1, 2}, 3, "gen.tau");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("gen.tau has 2 values"));
  }
}

TEST(CacheRows, AreTwoAnImageWhereAnyStepIsGuided) {
  EXPECT_EQ(cache_rows(3, {1.0}), 3);
  EXPECT_EQ(cache_rows(3, {1, 1, 4}), 6);
  EXPECT_EQ(cache_rows(3, {0.0}), 6);
  EXPECT_EQ(cache_rows(3, {0.0}, 0.0), 3);
  EXPECT_EQ(cache_rows(3, {1.0}, 0.0), 6);
}

TEST(Mixed, FormsAgreeUpToRoundingEachInItsOwnOrder) {
  const at::Tensor logits = at::randn({4, 3, 7});  // two images
  const at::Tensor c = logits.narrow(0, 0, 2);
  const at::Tensor u = logits.narrow(0, 2, 2);
  const double s = 2.7;
  const at::Tensor difference = mixed(logits, 2, s, GuidanceForm::kDifference);
  const at::Tensor weights = mixed(logits, 2, s, GuidanceForm::kWeights);
  const at::Tensor excess = mixed(logits, 2, s - 1, GuidanceForm::kExcess);
  EXPECT_TRUE(at::equal(difference, u + s * (c - u)));
  EXPECT_TRUE(at::equal(weights, s * c + (1 - s) * u));
  EXPECT_TRUE(at::equal(excess, (1 + (s - 1)) * c - (s - 1) * u));
  EXPECT_TRUE(at::allclose(difference, weights, 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(difference, excess, 1e-4, 1e-5));
}

TEST(Mixed, WithoutGuidanceOrSecondRowsIsTheConditionalRows) {
  at::Tensor logits = at::randn({4, 5});
  logits[3][2] = NAN;  // an unconditional row that nobody asks
  const at::Tensor c = logits.narrow(0, 0, 2);
  EXPECT_TRUE(at::equal(mixed(logits, 2, 1.0, GuidanceForm::kDifference), c));
  EXPECT_TRUE(at::equal(mixed(logits, 2, 1.0, GuidanceForm::kWeights), c));
  for (const GuidanceForm form :
       {GuidanceForm::kDifference, GuidanceForm::kWeights, GuidanceForm::kExcess}) {
    EXPECT_TRUE(at::equal(mixed(c, 2, 5.0, form), c));
  }
}

}  // namespace
}  // namespace kvscope
