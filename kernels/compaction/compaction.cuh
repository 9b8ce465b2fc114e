#pragma once

#include <cstdint>

#include "kernels/ragged/rows.cuh"

namespace kvscope {

inline constexpr int kCompactionThreads = 256;
inline constexpr int kStagingBytes = 32 * 1024;
inline constexpr int kAppendTile = 16;  // rows a block

/// Rows that fit the staging buffer together; at least one is asked for, so head_dim <= 8192.
inline int staged_rows(int64_t head_dim) {
  return static_cast<int>(kStagingBytes / (head_dim * static_cast<int64_t>(sizeof(float))));
}

/// arena[begin + length + i] = step[i] for this block's 16 rows. Grid: (row tiles, heads, rows).
template <typename Element>
__global__ void __launch_bounds__(kCompactionThreads) append_kernel(DeviceStep step,
                                                                    int64_t tokens,
                                                                    int64_t head_dim,
                                                                    const int64_t* begin,
                                                                    const int64_t* length,
                                                                    Element* arena) {
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const DeviceRows rows = step.of(blockIdx.z, blockIdx.y);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kAppendTile;
  const int64_t count = tokens - first < kAppendTile ? tokens - first : kAppendTile;
  Element* to = arena + (begin[slot] + length[slot] + first) * head_dim;
  for (int64_t e = threadIdx.x; e < count * head_dim; e += kCompactionThreads) {
    store(rows.load(first + e / head_dim, e % head_dim), e, to);
  }
}

/// arena[begin + j] = [history | current] row kept[j], one block a slot, in tiles of `tile_rows`:
/// a tile is read whole before any of it is written, and writes rows below its own end, while every
/// later source lies at or above it. Grid: (1, heads, rows).
template <typename Element>
__global__ void __launch_bounds__(kCompactionThreads) compact_kernel(DeviceStep step,
                                                                     int64_t head_dim,
                                                                     const int64_t* begin,
                                                                     const int64_t* length,
                                                                     const int64_t* kept,
                                                                     const int64_t* kept_begin,
                                                                     int tile_rows,
                                                                     Element* arena) {
  extern __shared__ float staging[];  // [tile_rows, head_dim]; bf16 passes through fp32 unchanged
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const DeviceRows current = step.of(blockIdx.z, blockIdx.y);
  const int64_t cached = length[slot];
  const int64_t* sources = kept + kept_begin[slot];
  const int64_t count = kept_begin[slot + 1] - kept_begin[slot];
  Element* rows = arena + begin[slot] * head_dim;
  for (int64_t first = 0; first < count; first += tile_rows) {
    const int64_t elements = (count - first < tile_rows ? count - first : tile_rows) * head_dim;
    for (int64_t e = threadIdx.x; e < elements; e += kCompactionThreads) {
      const int64_t source = sources[first + e / head_dim];
      const int64_t channel = e % head_dim;
      staging[e] = source < cached ? static_cast<float>(rows[source * head_dim + channel])
                                   : current.load(source - cached, channel);
    }
    __syncthreads();
    for (int64_t e = threadIdx.x; e < elements; e += kCompactionThreads) {
      store(staging[e], first * head_dim + e, rows);
    }
    __syncthreads();
  }
}

}  // namespace kvscope
