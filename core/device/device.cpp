#include "core/device/device.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/error.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// What cudart says: the number of GPUs, or why there is none. Any error counts as "no GPU":
/// without a driver it is "insufficient driver", not "no device".
struct GpuCount {
  int count = 0;
  std::string reason;
};

GpuCount count_gpus() {
  // libtorch_cpu.so of a CUDA build has loaded cudart already; a CPU build of LibTorch has none.
  void* runtime = dlopen("libcudart.so.13", RTLD_NOW | RTLD_NOLOAD);
  if (runtime == nullptr) return {.reason = "this LibTorch is built without CUDA"};
  const auto get_count = reinterpret_cast<int (*)(int*)>(dlsym(runtime, "cudaGetDeviceCount"));
  const auto error_text =
      reinterpret_cast<const char* (*)(int)>(dlsym(runtime, "cudaGetErrorString"));
  if (get_count == nullptr || error_text == nullptr) return {.reason = "libcudart.so.13 is broken"};
  GpuCount found;
  const int error = get_count(&found.count);
  if (error != 0) return {.reason = fmt::format("{} (CUDA error {})", error_text(error), error)};
  if (found.count == 0) found.reason = "the driver reports none";
  return found;
}

/// Folder of LibTorch's libraries: the one libtorch_cpu.so was loaded from.
fs::path libtorch_folder() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&at::globalContext), &info);
  return fs::canonical(info.dli_fname).parent_path();
}

/// Where the plug-in may lie: beside the program, in a bundle's lib/, in a build tree's kernels/.
std::vector<fs::path> plugin_places() {
  const fs::path program = fs::canonical("/proc/self/exe").parent_path();
  std::vector<fs::path> places;
  for (const char* folder : {".", "../lib", "../kernels"}) {
    places.push_back((program / folder / "libkvscope_cuda.so").lexically_normal());
  }
  return places;
}

/// N of "cuda:N", 0 of "cuda".
c10::DeviceIndex gpu_index(const std::string& name) {
  constexpr std::string_view kPrefix = "cuda:";
  if (name == "cuda") return 0;
  c10::DeviceIndex index = 0;
  if (name.starts_with(kPrefix)) {
    const char* end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, index);
    if (error == std::errc() && rest == end && index >= 0) return index;
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("device={}: no such device. {} (cuda:N for the GPU "
                          "numbered N)",
                          name, suggestion(name, {"cpu", "cuda", "cuda:0", "auto"})));
}

/// The first plug-in that is there.
std::optional<fs::path> find_plugin() {
  for (const fs::path& place : plugin_places()) {
    if (fs::exists(place)) return place;
  }
  return std::nullopt;
}

fs::path libtorch_cuda() {
  return libtorch_folder() / "libtorch_cuda.so";
}

void load(const fs::path& library, const std::string& remedy) {
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  throw Error(ErrorKind::kEnvironment, fmt::format("device=cuda: cannot load {}: {}. {}",
                                                   library.string(), dlerror(), remedy));
}

void load_cuda() {
  static const bool loaded = [] {
    load(libtorch_cuda(),
         "A GPU needs the whole of PyTorch 2.11 with its CUDA 13 libraries: pip install "
         "torch==2.11.0, "
         "then set LIBTORCH_ROOT to its torch folder and build, or start a bundle, again.");
    const std::optional<fs::path> plugin = find_plugin();
    if (!plugin) {
      throw Error(
          ErrorKind::kEnvironment,
          fmt::format("device=cuda: this build has no CUDA kernels (no libkvscope_cuda.so beside "
                      "{}). Install the CUDA 13 toolkit (nvcc) and build again, or use "
                      "device=cpu.",
                      fs::canonical("/proc/self/exe").string()));
    }
    load(*plugin, "Build kvscope again, with the CUDA 13 toolkit and this PyTorch.");
    // LibTorch lets convolutions round their inputs to TF32, whose 10 bits show in images.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
    return true;
  }();
  (void)loaded;
}

}  // namespace

int gpu_count() {
  return count_gpus().count;
}

int gpu_count_elsewhere() {
  constexpr int kMost = 100;
  const pid_t child = fork();
  if (child < 0) return count_gpus().count;
  if (child == 0) _exit(std::min(count_gpus().count, kMost));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

std::string resolved_device(const std::string& name) {
  if (name != "auto") return name;
  if (gpu_count_elsewhere() == 0) {
    spdlog::info("device=auto: the CPU, as no usable GPU is here");
    return "cpu";
  }
  if (!fs::exists(libtorch_cuda())) {
    spdlog::warn("device=auto: the CPU. There is a GPU, but {} is not there; PyTorch 2.11 has it",
                 libtorch_cuda().string());
    return "cpu";
  }
  if (!find_plugin()) {
    spdlog::warn(
        "device=auto: the CPU. There is a GPU, but this build has no CUDA kernels; install the "
        "CUDA 13 toolkit (nvcc) and build again");
    return "cpu";
  }
  spdlog::info("device=auto: cuda, the first GPU");
  return "cuda";
}

c10::Device open_device(const std::string& asked) {
  const std::string name = resolved_device(asked);
  if (name == "cpu") return c10::Device(c10::kCPU);
  const c10::DeviceIndex index = gpu_index(name);
  const GpuCount gpus = count_gpus();
  if (gpus.count == 0) {
    throw Error(
        ErrorKind::kEnvironment,
        fmt::format("device={}: no usable GPU here: {}. Check that nvidia-smi lists one and "
                    "that its driver supports CUDA 13, or use device=cpu.",
                    name, gpus.reason));
  }
  if (index >= gpus.count) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("device={}: this machine has {} GPU{}, numbered from 0", name,
                            gpus.count, gpus.count == 1 ? "" : "s"));
  }
  load_cuda();
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("device={}: LibTorch's CUDA library was loaded too late to be used; "
                            "open_device() must come before other work of LibTorch",
                            name));
  }
  // Before anything asks the caching allocator, which has no device until then.
  at::globalContext().lazyInitDevice(c10::kCUDA);
  return {c10::kCUDA, index};
}

}  // namespace kvscope
