#pragma once

#include "kernels/attention_rows/attention_rows_cuda.h"
#include "kernels/device/key_tile.cuh"

namespace kvscope {

/// The equation is at attention_rows(). Grid: (key tiles, heads, rows).
__global__ void __launch_bounds__(kKeyThreads) attention_rows_kernel(const KeyArguments a,
                                                                     const int64_t* query_indices,
                                                                     int64_t window,
                                                                     float* out) {
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * a.heads + blockIdx.y;
  const int64_t columns = a.length[slot] + a.tokens;
  float* matrix = out + a.group * window * a.column_offsets[slot];
  visit_scores(a, query_indices, window, [&](int64_t line, int64_t column, float value) {
    matrix[line * columns + column] = value;
  });
}

}  // namespace kvscope
