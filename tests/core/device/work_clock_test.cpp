#include "core/device/work_clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/base/clock.h"

namespace kvscope {
namespace {

using namespace std::chrono_literals;

TEST(WorkClock, SumsItsScopesAndNothingBetweenThem) {
  WorkClock clock;
  EXPECT_EQ(clock.total_ms(), 0);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    {
      const WorkClock::Scope scope = clock.measure(c10::kCPU);
      std::this_thread::sleep_for(4ms);
    }
    std::this_thread::sleep_for(30ms);
  }
  EXPECT_GE(clock.total_ms(), 12);
  EXPECT_LT(clock.total_ms(), milliseconds_since(start) - 3 * 30);
}

TEST(WorkClock, WaitingForACpuReturnsAtOnce) {
  wait_for_device(c10::kCPU);
}

}  // namespace
}  // namespace kvscope
