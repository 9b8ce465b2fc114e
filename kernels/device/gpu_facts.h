#pragma once

#include <cstdint>

namespace kvscope {

/// What the CUDA runtime says of a GPU.
struct GpuFacts {
  char name[256];
  int64_t memory_bytes;
  int64_t free_bytes;  ///< now
  int capability_major;
  int capability_minor;
  int multiprocessors;
  int runtime_version;  ///< 13000: 13.0
  int driver_version;   ///< the newest CUDA that the driver knows, likewise
};

/// Of the plug-in: fills `facts` of GPU `index`. 0, or the CUDA error.
using GpuFactsFunction = int (*)(int index, GpuFacts* facts);
inline constexpr const char* kGpuFactsSymbol = "kvscope_gpu_facts";

}  // namespace kvscope
