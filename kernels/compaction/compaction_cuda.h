#pragma once

#include <cstdint>

#include "kernels/device/rows.h"

namespace kvscope {

/// append_rows() and compact_rows() of keys or values as a GPU sees them: raw pointers, no
/// LibTorch.
struct CompactionArguments {
  DeviceStep step;        // k or v
  DeviceRows arena;       // written
  const int64_t* begin;   // [rows * heads]
  const int64_t* length;  // [rows * heads]
  int64_t rows;
  int64_t heads;
  int64_t tokens;  // of the current step
  int64_t head_dim;
};

inline constexpr int64_t kCompactionMostChannels = 8192;

/// Enqueues arena[begin + length + i] = step[i] for every (row, head).
cudaError_t launch_append(const CompactionArguments& arguments, cudaStream_t stream);

/// Enqueues arena[begin + j] = [history | current] row kept[kept_begin[slot] + j]; head_dim <=
/// 8192.
cudaError_t launch_compact(const CompactionArguments& arguments,
                           const int64_t* kept,
                           const int64_t* kept_begin,
                           cudaStream_t stream);

}  // namespace kvscope
