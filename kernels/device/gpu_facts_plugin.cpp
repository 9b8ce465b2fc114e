// The plug-in's answer to core/device/device_facts.cpp, which links no CUDA.
#include <cuda_runtime_api.h>

#include <cstring>

#include "kernels/device/gpu_facts.h"

extern "C" int kvscope_gpu_facts(int index, kvscope::GpuFacts* facts) {
  cudaDeviceProp properties{};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, index)) return error;
  std::memcpy(facts->name, properties.name, sizeof(facts->name));
  facts->name[sizeof(facts->name) - 1] = '\0';
  facts->capability_major = properties.major;
  facts->capability_minor = properties.minor;
  facts->multiprocessors = properties.multiProcessorCount;
  if (const cudaError_t error = cudaRuntimeGetVersion(&facts->runtime_version)) return error;
  if (const cudaError_t error = cudaDriverGetVersion(&facts->driver_version)) return error;
  int current = 0;
  if (const cudaError_t error = cudaGetDevice(&current)) return error;
  if (const cudaError_t error = cudaSetDevice(index)) return error;
  size_t free_bytes = 0;
  size_t memory_bytes = 0;
  const cudaError_t error = cudaMemGetInfo(&free_bytes, &memory_bytes);
  facts->free_bytes = static_cast<int64_t>(free_bytes);
  facts->memory_bytes = static_cast<int64_t>(memory_bytes);
  cudaSetDevice(current);
  return error;
}
