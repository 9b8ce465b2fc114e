#pragma once

#include <cstdint>

#include "kernels/compaction/compaction_cuda.h"

namespace kvscope {

inline constexpr int kCompactionThreads = 256;
inline constexpr int kStagingBytes = 32 * 1024;
inline constexpr int kAppendTile = 16;  // rows a block

/// Rows that fit the staging buffer together.
inline int staged_rows(int64_t head_dim) {
  return static_cast<int>(kStagingBytes / (head_dim * static_cast<int64_t>(sizeof(float))));
}

/// Grid: (row tiles, heads, rows).
__global__ void __launch_bounds__(kCompactionThreads) append_kernel(const CompactionArguments a) {
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * a.heads + blockIdx.y;
  const DeviceRows from = a.step.of(blockIdx.z, blockIdx.y);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kAppendTile;
  const int64_t count = a.tokens - first < kAppendTile ? a.tokens - first : kAppendTile;
  const DeviceRows to = a.arena.from(a.begin[slot] + a.length[slot] + first);
  for (int64_t e = threadIdx.x; e < count * a.head_dim; e += kCompactionThreads) {
    to.store(from.load(first + e / a.head_dim, e % a.head_dim), e);
  }
}

/// One block a slot, in tiles of `tile_rows`: a tile is read whole before any of it is written, and
/// writes rows below its own end, while every later source lies at or above it (ordered) or above
/// all that is written (hole filling). Rows that stay where they are move no byte. Grid: (1, heads,
/// rows).
__global__ void __launch_bounds__(kCompactionThreads) compact_kernel(const CompactionArguments a,
                                                                     const int64_t* kept,
                                                                     const int64_t* kept_begin,
                                                                     int tile_rows) {
  extern __shared__ float staging[];  // [tile_rows, head_dim]; bf16 passes through fp32 unchanged
  const int64_t slot = static_cast<int64_t>(blockIdx.z) * a.heads + blockIdx.y;
  const DeviceRows current = a.step.of(blockIdx.z, blockIdx.y);
  const DeviceRows arena = a.arena.from(a.begin[slot]);
  const int64_t cached = a.length[slot];
  const int64_t* sources = kept + kept_begin[slot];
  const int64_t count = kept_begin[slot + 1] - kept_begin[slot];
  for (int64_t first = 0; first < count; first += tile_rows) {
    const int64_t tile = count - first < tile_rows ? count - first : tile_rows;
    for (int64_t e = threadIdx.x; e < tile * a.head_dim; e += kCompactionThreads) {
      const int64_t source = sources[first + e / a.head_dim];
      if (source == first + e / a.head_dim && source < cached) continue;
      const int64_t channel = e % a.head_dim;
      staging[e] =
          source < cached ? arena.load(source, channel) : current.load(source - cached, channel);
    }
    __syncthreads();
    for (int64_t e = threadIdx.x; e < tile * a.head_dim; e += kCompactionThreads) {
      const int64_t row = first + e / a.head_dim;
      if (sources[row] == row && row < cached) continue;
      arena.store(staging[e], first * a.head_dim + e);
    }
    __syncthreads();
  }
}

}  // namespace kvscope
