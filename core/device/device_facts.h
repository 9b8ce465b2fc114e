#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

namespace kvscope {

/// What a device is. What a CPU lacks is nullopt.
struct DeviceFacts {
  std::string name{};
  int64_t memory_bytes = 0;
  int64_t free_bytes = 0;  ///< now
  int64_t processors = 0;  ///< multiprocessors of a GPU, threads that LibTorch uses of a CPU
  std::optional<std::string> capability{};    ///< "9.0"
  std::optional<std::string> cuda_runtime{};  ///< "13.0"
  std::optional<std::string> cuda_driver{};   ///< newest CUDA that the driver knows
  std::optional<std::string> driver{};        ///< the driver's own version, where the system says
};

/// Of a device that open_device() has opened. Throws Error(kEnvironment) where it does not answer.
DeviceFacts device_facts(c10::Device device);

/// What a device can do at most, measured: medians of several repetitions.
struct DeviceLimits {
  double copy_gigabytes_per_s = 0;  ///< device to device, bytes read and bytes written counted
  double bf16_gemm_tflop_per_s = 0;
  double fp32_gemm_tflop_per_s = 0;  ///< not TF32
};

/// Takes about a second, and 2 GiB of a GPU; `quick` a tenth of both.
DeviceLimits measured_limits(c10::Device device, bool quick);

}  // namespace kvscope
