#pragma once

// Runs the CUDA kernels' bodies on CPU threads, so that their arithmetic is tested where no GPU is:
// include this, then the .cuh. One block at a time, one thread a CUDA thread. What it cannot show:
// races that only a GPU's memory model has, and speed.
#include <cuda_runtime_api.h>

#include <barrier>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#undef __launch_bounds__
#undef __global__
#undef __shared__
#define __launch_bounds__(threads)
#define __global__
#define __shared__

namespace kvscope {

inline thread_local uint3 threadIdx;
inline thread_local uint3 blockIdx;
// The names under which the kernels declare their dynamic shared memory.
inline float shared[24 * 1024];
inline float staging[8 * 1024];

namespace emulation {
inline std::optional<std::barrier<>> barrier;
inline float exchanged[1024];
}  // namespace emulation

inline void __syncthreads() {
  emulation::barrier->arrive_and_wait();
}

/// All threads of the block must take part, as they do in the kernels here.
inline float __shfl_xor_sync(unsigned, float value, int lane_mask) {
  emulation::exchanged[threadIdx.x] = value;
  __syncthreads();
  const float other = emulation::exchanged[threadIdx.x ^ static_cast<unsigned>(lane_mask)];
  __syncthreads();
  return other;
}

// One operation, rounded once: the volatile keeps it from being fused with the next.
inline float __fadd_rn(float a, float b) {
  const volatile float sum = a + b;
  return sum;
}
inline float __fsub_rn(float a, float b) {
  const volatile float difference = a - b;
  return difference;
}
inline float __fmul_rn(float a, float b) {
  const volatile float product = a * b;
  return product;
}
inline float __fdiv_rn(float a, float b) {
  const volatile float quotient = a / b;
  return quotient;
}

/// Calls `kernel` for every block of `grid` with `threads` threads.
template <typename Kernel>
void emulate(dim3 grid, int threads, const Kernel& kernel) {
  emulation::barrier.emplace(threads);
  std::vector<std::jthread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      threadIdx = {static_cast<unsigned>(thread), 0, 0};
      for (unsigned z = 0; z < grid.z; ++z) {
        for (unsigned y = 0; y < grid.y; ++y) {
          for (unsigned x = 0; x < grid.x; ++x) {
            blockIdx = {x, y, z};
            kernel();
            __syncthreads();  // the next block reuses the shared memory
          }
        }
      }
    });
  }
}

}  // namespace kvscope
