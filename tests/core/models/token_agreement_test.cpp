#include "core/models/token_agreement.h"

#include <gtest/gtest.h>

#include <vector>

namespace kvscope {
namespace {

CacheGeometry geometry_of(std::vector<StepInfo> steps) {
  return {.layers = 1, .heads = 1, .head_dim = 1, .steps = std::move(steps), .query_heads = 1};
}

TEST(TokenAgreement, CountsBitsOfEveryScale) {
  // Scales of 1 and 4 tokens, 3 bits each: 15 bits and one of padding.
  const CacheGeometry geometry = geometry_of(next_scale_steps({{1, 1}, {2, 2}}));
  const std::vector<uint8_t> a = {0b10100000, 0b00000000};
  const std::vector<uint8_t> b = {0b10010000, 0b00000011};  // bits 2, 3 and 14, and the padding
  const std::vector<StepAgreement> steps = token_agreement(geometry, a, b);
  ASSERT_EQ(steps.size(), 2);
  EXPECT_EQ(steps[0].values, 3);
  EXPECT_EQ(steps[0].differing, 1);
  EXPECT_EQ(steps[1].values, 12);
  EXPECT_EQ(steps[1].differing, 2);
}

TEST(TokenAgreement, CountsIdsInTheStepThatSamplesThem) {
  const CacheGeometry geometry = geometry_of(next_token_steps(5, 3));
  const std::vector<uint8_t> a = {1, 0, 2, 0, 3, 0};  // ids 1, 2, 3
  const std::vector<uint8_t> b = {1, 0, 2, 1, 3, 0};  // ids 1, 258, 3
  const std::vector<StepAgreement> steps = token_agreement(geometry, a, b);
  ASSERT_EQ(steps.size(), geometry.steps.size());
  // The prefill samples the first token, the step that feeds it the second.
  EXPECT_EQ(steps[0].differing, 0);
  EXPECT_EQ(steps[0].values, 1);
  EXPECT_EQ(steps[1].differing, 1);
  EXPECT_EQ(steps[2].differing, 0);
  EXPECT_EQ(steps[2].values, 1);
}

}  // namespace
}  // namespace kvscope
