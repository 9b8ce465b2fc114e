#include "core/device/allocation_meter.h"

#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

namespace kvscope {
namespace {

/// What LibTorch's allocator tells the thread's profiler, summed.
class Reports : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*block*/,
                         int64_t bytes,
                         size_t /*total_allocated*/,
                         size_t /*total_reserved*/,
                         c10::Device device) override {
    if (!device.is_cpu()) return;
    live += bytes;
    peak = std::max(peak, live);
    if (bytes > 0) ++allocations;
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }

  int64_t live = 0;
  int64_t peak = 0;
  int64_t allocations = 0;
};

}  // namespace

struct AllocationMeter::CpuCount {
  std::shared_ptr<Reports> reports = std::make_shared<Reports>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, reports};
};

struct AllocationMeter::GpuCount {
  c10::Device device;
  c10::DeviceAllocator* allocator;
  int64_t live_before = 0;
  int64_t allocations_before = 0;

  [[nodiscard]] c10::CachingAllocator::Stat bytes() const { return all(&Stats::allocated_bytes); }
  [[nodiscard]] c10::CachingAllocator::Stat blocks() const { return all(&Stats::allocation); }

 private:
  using Stats = c10::CachingDeviceAllocator::DeviceStats;
  [[nodiscard]] c10::CachingAllocator::Stat all(c10::CachingAllocator::StatArray Stats::*of) const {
    constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return (allocator->getDeviceStats(device.index()).*of)[kAll];
  }
};

AllocationMeter::AllocationMeter(c10::Device device) {
  if (device.is_cpu()) {
    cpu_ = std::make_unique<CpuCount>();
    return;
  }
  gpu_ = std::make_unique<GpuCount>(
      GpuCount{.device = device, .allocator = c10::getDeviceAllocator(device.type())});
  gpu_->allocator->resetPeakStats(device.index());
  gpu_->live_before = gpu_->bytes().current;
  gpu_->allocations_before = gpu_->blocks().allocated;
}

AllocationMeter::~AllocationMeter() = default;

int64_t AllocationMeter::live_bytes() const {
  const int64_t live = cpu_ ? cpu_->reports->live : gpu_->bytes().current - gpu_->live_before;
  return std::max<int64_t>(live, 0);
}

int64_t AllocationMeter::peak_bytes() const {
  const int64_t peak = cpu_ ? cpu_->reports->peak : gpu_->bytes().peak - gpu_->live_before;
  return std::max<int64_t>(peak, 0);
}

void AllocationMeter::restart_peak() {
  if (cpu_) {
    cpu_->reports->peak = cpu_->reports->live;
  } else {
    gpu_->allocator->resetPeakStats(gpu_->device.index());
  }
}

int64_t AllocationMeter::allocations() const {
  return cpu_ ? cpu_->reports->allocations : gpu_->blocks().allocated - gpu_->allocations_before;
}

std::optional<int64_t> AllocationMeter::device_peak_bytes() const {
  if (cpu_) return std::nullopt;
  return gpu_->bytes().peak;
}

}  // namespace kvscope
