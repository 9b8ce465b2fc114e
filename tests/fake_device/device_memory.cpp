#include "tests/fake_device/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace kvscope {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);

std::byte* reserve(int protection) {
  void* memory = mmap(nullptr, DeviceMemory::kCapacityBytes, protection,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TORCH_CHECK(memory != MAP_FAILED, "fake device: no memory for ", DeviceMemory::kCapacityBytes,
              " bytes of addresses: ", std::strerror(errno));
  return static_cast<std::byte*>(memory);
}

}  // namespace

// Two mappings that need not be the same pages: nobody can look at the first to tell.
DeviceMemory::DeviceMemory() : device_(reserve(PROT_NONE)), host_(reserve(PROT_READ | PROT_WRITE)) {
  free_[0] = kCapacityBytes;
}

void* DeviceMemory::on_host(const void* device_address) const {
  if (device_address == nullptr) return nullptr;
  const std::ptrdiff_t offset = static_cast<const std::byte*>(device_address) - device_;
  TORCH_CHECK(offset >= 0 && static_cast<size_t>(offset) <= kCapacityBytes,
              "fake device: ", device_address, " is not an address of its memory");
  return host_ + offset;
}

c10::DataPtr DeviceMemory::allocate(size_t bytes) {
  const c10::Device device(c10::kPrivateUse1, 0);
  if (bytes == 0) return {nullptr, device};
  const std::scoped_lock lock(mutex_);
  const size_t size = (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  const auto found = std::find_if(free_.begin(), free_.end(),
                                  [size](const auto& block) { return block.second >= size; });
  TORCH_CHECK_WITH(OutOfMemoryError, found != free_.end(),
                   "fake device out of memory. Tried to allocate ", bytes, " bytes; of ",
                   kCapacityBytes, " bytes ", stats_.allocated_bytes[kAll].current, " are in use.");
  const auto [offset, capacity] = *found;
  free_.erase(found);
  if (capacity > size) free_[offset + size] = capacity - size;
  used_[offset] = size;
  stats_.allocation[kAll].increase(1);
  stats_.allocated_bytes[kAll].increase(size);
  std::memset(host_ + offset, 0xFF, size);  // NaN as fp32, bf16 and fp16; -1 as an index
  void* address = device_ + offset;
  return {address, address, [](void* freed) { device_memory().free(freed); }, device};
}

void DeviceMemory::free(void* device_address) {
  const std::scoped_lock lock(mutex_);
  const auto block = used_.find(static_cast<std::byte*>(device_address) - device_);
  TORCH_INTERNAL_ASSERT(block != used_.end());
  const size_t size = block->second;
  auto freed = free_.emplace(block->first, size).first;
  used_.erase(block);
  stats_.allocation[kAll].decrease(1);
  stats_.allocated_bytes[kAll].decrease(size);

  const auto next = std::next(freed);
  if (next != free_.end() && freed->first + freed->second == next->first) {
    freed->second += next->second;
    free_.erase(next);
  }
  if (freed == free_.begin()) return;
  const auto before = std::prev(freed);
  if (before->first + before->second != freed->first) return;
  before->second += freed->second;
  free_.erase(freed);
}

void DeviceMemory::copy_data(void* to, const void* from, size_t bytes) const {
  std::memcpy(on_host(to), on_host(from), bytes);
}

c10::CachingDeviceAllocator::DeviceStats DeviceMemory::getDeviceStats(c10::DeviceIndex /*device*/) {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

void DeviceMemory::resetAccumulatedStats(c10::DeviceIndex /*device*/) {
  const std::scoped_lock lock(mutex_);
  stats_.allocation[kAll].reset_accumulated();
  stats_.allocated_bytes[kAll].reset_accumulated();
}

void DeviceMemory::resetPeakStats(c10::DeviceIndex /*device*/) {
  const std::scoped_lock lock(mutex_);
  stats_.allocation[kAll].reset_peak();
  stats_.allocated_bytes[kAll].reset_peak();
}

std::pair<size_t, size_t> DeviceMemory::getMemoryInfo(c10::DeviceIndex /*device*/) {
  const std::scoped_lock lock(mutex_);
  const auto used = static_cast<size_t>(stats_.allocated_bytes[kAll].current);
  return {kCapacityBytes - used, kCapacityBytes};
}

DeviceMemory& device_memory() {
  static auto* memory = new DeviceMemory;
  return *memory;
}

}  // namespace kvscope
