#include "core/device/device_facts.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <vector>

#include "core/base/error.h"
#include "core/device/work_clock.h"
#include "kernels/device/gpu_facts.h"

namespace kvscope {
namespace {

/// What follows the colon of the first line of `path` that begins with `key`, without blanks.
std::string value_of(const char* path, std::string_view key) {
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == line.npos) continue;
    const size_t first = line.find_first_not_of(" \t", colon + 1);
    return first == line.npos ? "" : line.substr(first);
  }
  return "";
}

int64_t memory_of(const char* key) {
  constexpr int64_t kKibibyte = 1024;
  const std::string text = value_of("/proc/meminfo", key);
  return text.empty() ? 0 : std::stoll(text) * kKibibyte;
}

DeviceFacts cpu_facts() {
  return {.name = value_of("/proc/cpuinfo", "model name"),
          .memory_bytes = memory_of("MemTotal"),
          .free_bytes = memory_of("MemAvailable"),
          .processors = at::get_num_threads()};
}

/// 13000 -> "13.0"
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// "... Kernel Module  580.65.06  Release ..." -> "580.65.06"
std::optional<std::string> driver_version() {
  std::ifstream stream("/proc/driver/nvidia/version");
  for (std::string word; stream >> word;) {
    if (std::ranges::count(word, '.') >= 1 && std::isdigit(static_cast<unsigned char>(word[0]))) {
      return word;
    }
  }
  return std::nullopt;
}

DeviceFacts gpu_facts(c10::Device device) {
  const auto ask = reinterpret_cast<GpuFactsFunction>(dlsym(RTLD_DEFAULT, kGpuFactsSymbol));
  GpuFacts facts{};
  const int error = ask == nullptr ? -1 : ask(device.index(), &facts);
  if (error != 0) {
    throw Error(
        ErrorKind::kEnvironment,
        fmt::format("{}: the CUDA runtime says nothing about it (error {})", device.str(), error));
  }
  return {.name = facts.name,
          .memory_bytes = facts.memory_bytes,
          .free_bytes = facts.free_bytes,
          .processors = facts.multiprocessors,
          .capability = fmt::format("{}.{}", facts.capability_major, facts.capability_minor),
          .cuda_runtime = version_text(facts.runtime_version),
          .cuda_driver = version_text(facts.driver_version),
          .driver = driver_version()};
}

/// Median milliseconds of `work`, after a warm-up.
double median_ms(c10::Device device, const std::function<void()>& work) {
  constexpr int kRepetitions = 7;
  work();
  std::vector<double> times;
  for (int i = 0; i < kRepetitions; ++i) {
    WorkClock clock;
    {
      const WorkClock::Scope scope = clock.measure(device);
      work();
    }
    times.push_back(clock.total_ms());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

double gemm_tflop_per_s(c10::Device device, at::ScalarType type, int64_t side) {
  const at::TensorOptions options = at::TensorOptions().dtype(type).device(device);
  const auto random = [&] { return at::randn({side, side}).to(options); };
  const at::Tensor a = random();
  const at::Tensor b = random();
  at::Tensor product = at::empty({side, side}, options);
  const double ms = median_ms(device, [&] { at::mm_out(product, a, b); });
  const auto flop = 2.0 * static_cast<double>(side) * static_cast<double>(side * side);
  return flop / ms / 1e9;
}

}  // namespace

DeviceFacts device_facts(c10::Device device) {
  return device.is_cpu() ? cpu_facts() : gpu_facts(device);
}

DeviceLimits measured_limits(c10::Device device, bool quick) {
  const bool small = quick || device.is_cpu();
  DeviceLimits limits;
  {
    const int64_t bytes = int64_t{1} << (small ? 26 : 30);
    const at::Tensor from = at::zeros({bytes}, at::TensorOptions().dtype(at::kByte).device(device));
    at::Tensor to = at::empty_like(from);
    limits.copy_gigabytes_per_s =
        2e-6 * static_cast<double>(bytes) / median_ms(device, [&] { to.copy_(from); });
  }
  // bf16 on a CPU that cannot do it takes 1000 times as long as on one that can.
  limits.bf16_gemm_tflop_per_s = gemm_tflop_per_s(device, at::kBFloat16,
                                                  device.is_cpu() ? 128
                                                  : quick         ? 2048
                                                                  : 8192);
  limits.fp32_gemm_tflop_per_s = gemm_tflop_per_s(device, at::kFloat, small ? 1024 : 4096);
  return limits;
}

}  // namespace kvscope
