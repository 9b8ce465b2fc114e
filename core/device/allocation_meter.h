#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace kvscope {

/// Counts what LibTorch allocates while it lives: on a CPU the tensors of the thread that made it
/// (operators allocate their results on the thread that calls them; memory that LibTorch does not
/// hand out, like a KvCache's arena on a CPU, is not among them), on a GPU those of the whole
/// device, by its caching allocator. One at a time a device, as the allocator keeps one peak.
class AllocationMeter {
 public:
  explicit AllocationMeter(c10::Device device);
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  /// Bytes there now, and the most at once, beyond what there was at the beginning. Never negative.
  [[nodiscard]] int64_t live_bytes() const;
  [[nodiscard]] int64_t peak_bytes() const;
  /// Begins a new peak at what is there now.
  void restart_peak();
  /// Allocations so far.
  [[nodiscard]] int64_t allocations() const;
  /// The most bytes of the device at once, everything on it counted: weights, arena, all. nullopt
  /// on a CPU.
  [[nodiscard]] std::optional<int64_t> device_peak_bytes() const;

 private:
  struct CpuCount;
  struct GpuCount;
  std::unique_ptr<CpuCount> cpu_;
  std::unique_ptr<GpuCount> gpu_;
};

}  // namespace kvscope
