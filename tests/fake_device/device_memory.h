#pragma once

#include <c10/core/CachingDeviceAllocator.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace kvscope {

/// The fake device's memory: addresses that nobody may follow, each with memory behind it that only
/// the fake device reaches, through on_host(). Counts as LibTorch's CUDA allocator does: blocks are
/// multiples of 512 bytes.
class DeviceMemory final : public c10::DeviceAllocator {
 public:
  static constexpr size_t kCapacityBytes = size_t{6} << 30;  ///< taken from the host only when used

  /// Throws c10::Error where the host has no memory for the addresses.
  DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Where the memory of a device address lies; nullptr for nullptr.
  [[nodiscard]] void* on_host(const void* device_address) const;

  /// Throws c10::OutOfMemoryError.
  c10::DataPtr allocate(size_t bytes) override;
  void copy_data(void* to, const void* from, size_t bytes) const override;

  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t /*pool*/) override {}
  void recordStream(const c10::DataPtr& /*data*/, c10::Stream /*stream*/) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex device) override;
  void resetAccumulatedStats(c10::DeviceIndex device) override;
  void resetPeakStats(c10::DeviceIndex device) override;
  /// Free and all bytes.
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex device) override;

 private:
  void free(void* device_address);

  std::byte* device_ = nullptr;  // [kCapacityBytes], no access
  std::byte* host_ = nullptr;    // [kCapacityBytes], the bytes themselves
  std::mutex mutex_;
  std::map<size_t, size_t> free_;  // offset -> bytes; no two blocks touch
  std::map<size_t, size_t> used_;  // offset -> bytes
  c10::CachingDeviceAllocator::DeviceStats stats_;
};

/// The one memory of the one fake device. Never destroyed: tensors may outlive main().
DeviceMemory& device_memory();

}  // namespace kvscope
