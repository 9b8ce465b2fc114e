#pragma once

#include "kernels/column_sum/column_sum_cuda.h"
#include "kernels/device/key_tile.cuh"

namespace kvscope {

/// The equation is at column_sum(). Grid: (key tiles, heads, rows).
__global__ void __launch_bounds__(kKeyThreads) column_sum_kernel(const KeyArguments a, float* out) {
  float sum = 0.0F;
  visit_scores(a, nullptr, a.queries, [&](int64_t, int64_t, float p) { sum += p; });
  sum += __shfl_xor_sync(0xffffffffU, sum, 1);
  sum += __shfl_xor_sync(0xffffffffU, sum, 2);
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * a.heads + blockIdx.y;
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kKeyTile + threadIdx.x / kKeyLanes;
  if (threadIdx.x % kKeyLanes == 0 && column < a.length[slot] + a.tokens) {
    out[a.column_offsets[slot] + column] = sum;
  }
}

}  // namespace kvscope
