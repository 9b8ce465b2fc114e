#include "core/device/allocation_meter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <optional>

namespace kvscope {
namespace {

TEST(AllocationMeter, CountsTheTensorsOfItsLifeOnly) {
  const at::Tensor before = at::zeros({1000});
  std::optional<at::Tensor> a;
  AllocationMeter meter(at::kCPU);
  EXPECT_EQ(meter.peak_bytes(), 0);
  EXPECT_EQ(meter.allocations(), 0);
  a = at::zeros({256});  // fp32
  EXPECT_EQ(meter.live_bytes(), 1024);
  {
    const at::Tensor b = at::zeros({512});
    EXPECT_EQ(meter.live_bytes(), 3072);
    EXPECT_EQ(b.numel(), 512);
  }
  EXPECT_EQ(meter.live_bytes(), 1024);
  EXPECT_EQ(meter.peak_bytes(), 3072);
  EXPECT_EQ(meter.allocations(), 2);
  a.reset();
  EXPECT_EQ(meter.live_bytes(), 0);
  EXPECT_EQ(meter.peak_bytes(), 3072);
  meter.restart_peak();
  EXPECT_EQ(meter.peak_bytes(), 0);
  EXPECT_FALSE(meter.device_peak_bytes().has_value());
  EXPECT_EQ(before.numel(), 1000);
}

TEST(AllocationMeter, StartsAnew) {
  {
    const AllocationMeter first(at::kCPU);
    (void)at::zeros({64});
    EXPECT_EQ(first.allocations(), 1);
  }
  (void)at::zeros({64});
  const AllocationMeter second(at::kCPU);
  EXPECT_EQ(second.allocations(), 0);
  EXPECT_EQ(second.peak_bytes(), 0);
}

}  // namespace
}  // namespace kvscope
