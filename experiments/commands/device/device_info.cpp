#include "experiments/commands/device/device_info.h"

#include <fmt/format.h>
#include <torch/headeronly/version.h>

#include <nlohmann/json.hpp>

#include "core/device/device.h"
#include "core/device/device_facts.h"
#include "experiments/version.h"

namespace kvscope {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(*text) : ordered_json();
}

void print_json(c10::Device device, const DeviceFacts& facts, const DeviceLimits& limits) {
  const ordered_json line{
      {"device", device.str()},
      {"name", facts.name},
      {"memory_bytes", facts.memory_bytes},
      {"free_bytes", facts.free_bytes},
      {"driver", or_null(facts.driver)},
      {"cuda_driver", or_null(facts.cuda_driver)},
      {"cuda_runtime", or_null(facts.cuda_runtime)},
      {"libtorch", TORCH_VERSION},
      {"kvscope", kVersion},
      {"capability", or_null(facts.capability)},
      {"multiprocessors", device.is_cpu() ? ordered_json() : ordered_json(facts.processors)},
      {"threads", device.is_cpu() ? ordered_json(facts.processors) : ordered_json()},
      {"copy_gigabytes_per_s", limits.copy_gigabytes_per_s},
      {"bf16_gemm_tflop_per_s", limits.bf16_gemm_tflop_per_s},
      {"fp32_gemm_tflop_per_s", limits.fp32_gemm_tflop_per_s}};
  fmt::print("{}\n", line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

void print_text(c10::Device device, const DeviceFacts& facts, const DeviceLimits& limits) {
  constexpr double kGibibyte = 1024.0 * 1024 * 1024;
  const auto gibibytes = [](int64_t bytes) { return static_cast<double>(bytes) / kGibibyte; };
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("  {:<18}  {}\n", what, value);
  };
  fmt::print("{}: {}\n", device.str(), facts.name);
  line("memory", fmt::format("{:.1f} GiB, {:.1f} GiB free", gibibytes(facts.memory_bytes),
                             gibibytes(facts.free_bytes)));
  line(device.is_cpu() ? "threads" : "multiprocessors", fmt::format("{}", facts.processors));
  if (facts.capability) line("capability", *facts.capability);
  if (facts.driver) line("driver", *facts.driver);
  if (facts.cuda_driver) line("CUDA of the driver", *facts.cuda_driver);
  if (facts.cuda_runtime) line("CUDA runtime", *facts.cuda_runtime);
  line("LibTorch", TORCH_VERSION);
  line("kvscope", kVersion);
  line("copy", fmt::format("{:.1f} GB/s, reads and writes counted", limits.copy_gigabytes_per_s));
  line("bf16 product", fmt::format("{:.3g} TFLOP/s", limits.bf16_gemm_tflop_per_s));
  line("fp32 product", fmt::format("{:.3g} TFLOP/s", limits.fp32_gemm_tflop_per_s));
}

}  // namespace

int device_info_command(const DeviceInfoOptions& options) {
  const c10::Device device = open_device(options.device);
  const DeviceFacts facts = device_facts(device);
  const DeviceLimits limits = measured_limits(device, options.quick);
  options.json ? print_json(device, facts, limits) : print_text(device, facts, limits);
  return 0;
}

}  // namespace kvscope
