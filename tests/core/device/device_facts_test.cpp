#include "core/device/device_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(DeviceFacts, OfTheCpu) {
  const DeviceFacts facts = device_facts(c10::kCPU);
  EXPECT_THAT(facts.name, testing::Not(testing::IsEmpty()));
  EXPECT_GT(facts.processors, 0);
  EXPECT_GT(facts.free_bytes, 0);
  EXPECT_LT(facts.free_bytes, facts.memory_bytes);
  EXPECT_FALSE(facts.capability || facts.cuda_runtime || facts.cuda_driver);
}

TEST(MeasuredLimits, ArePositiveAndFinite) {
  const DeviceLimits limits = measured_limits(c10::kCPU, true);
  for (const double limit :
       {limits.copy_gigabytes_per_s, limits.bf16_gemm_tflop_per_s, limits.fp32_gemm_tflop_per_s}) {
    EXPECT_GT(limit, 0);
    EXPECT_LT(limit, 1e6);
  }
}

}  // namespace
}  // namespace kvscope
