#include "tests/fake_device/device_guard.h"

#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <chrono>

namespace kvscope {
namespace {

using Clock = std::chrono::steady_clock;

const c10::Device kDevice(c10::kPrivateUse1, 0);

std::atomic<int64_t> synchronisations = 0;

void check(c10::Device device) {
  TORCH_CHECK(device.type() == kDevice.type() && device.index() <= 0, device,
              ": there is only one fake device, ", kDevice);
}

struct FakeDeviceGuard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kDevice.type(); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device device) const override { check(device); }
  void uncheckedSetDevice(c10::Device /*device*/) const noexcept override {}
  c10::Device exchangeDevice(c10::Device device) const override {
    check(device);
    return kDevice;
  }

  c10::Stream getStream(c10::Device device) const override { return getDefaultStream(device); }
  c10::Stream getDefaultStream(c10::Device device) const override {
    check(device);
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    return getDefaultStream(stream.device());
  }
  bool queryStream(const c10::Stream& /*stream*/) const override { return true; }
  void synchronizeStream(const c10::Stream& /*stream*/) const override {}
  void synchronizeDevice(c10::DeviceIndex /*device*/) const override { ++synchronisations; }

  void record(void** event,
              const c10::Stream& /*stream*/,
              c10::DeviceIndex /*device*/,
              c10::EventFlag /*flag*/) const override {
    if (*event == nullptr) *event = new Clock::time_point;
    *static_cast<Clock::time_point*>(*event) = Clock::now();
  }
  void destroyEvent(void* event, c10::DeviceIndex /*device*/) const noexcept override {
    delete static_cast<Clock::time_point*>(event);
  }
  void block(void* /*event*/, const c10::Stream& /*stream*/) const override {}
  bool queryEvent(void* /*event*/) const override { return true; }
  void synchronizeEvent(void* /*event*/) const override {}
  double elapsedTime(void* from, void* to, c10::DeviceIndex /*device*/) const override {
    const std::chrono::duration<double, std::milli> elapsed =
        *static_cast<Clock::time_point*>(to) - *static_cast<Clock::time_point*>(from);
    return elapsed.count();
  }
};

/// What LibTorch asks of an accelerator beside its guard.
struct FakeDeviceHooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex /*device*/) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex /*device*/) const override {}
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex /*device*/) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex /*device*/) const override { return 0; }
  c10::Allocator* getPinnedMemoryAllocator() const override { return c10::GetCPUAllocator(); }
};

}  // namespace

void register_device_guard() {
  // By its own name: the autograd engine takes streams only from a device that has been named.
  c10::register_privateuse1_backend("privateuseone");
  // LibTorch keeps the pointers for good.
  at::RegisterPrivateUse1HooksInterface(new FakeDeviceHooks);
  c10::impl::registerDeviceGuard(kDevice.type(), new FakeDeviceGuard);
}

int64_t device_synchronisations() {
  return synchronisations;
}

}  // namespace kvscope
