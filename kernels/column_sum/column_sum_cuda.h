#pragma once

#include <cstdint>

#include "kernels/cuda/rows.h"

namespace kvscope {

/// column_sum() and attention_rows() as a GPU sees them: raw pointers, no LibTorch. Both look at one
/// key from many queries.
struct KeyArguments {
  DeviceStep q;
  DeviceStep k;
  DeviceRows history_keys;  // the whole arena
  const float* lse;         // [rows, heads, queries]; null for raw scores
  const int64_t* begin;     // [rows * heads]
  const int64_t* length;    // [rows * heads]
  const int64_t* offsets;   // [rows * heads + 1] first column of each slot
  int64_t rows;
  int64_t heads;
  int64_t queries;
  int64_t tokens;           // of the current step
  int64_t longest_columns;  // most columns of any slot
  int head_dim;
  float softmax_scale;
  bool causal;
};

inline constexpr int64_t kKeyMostChannels = 256;

/// Enqueues out[offsets[slot] + j] = sum_i exp(s_ij - lse_i).
cudaError_t launch_column_sum(const KeyArguments& arguments, float* out, cudaStream_t stream);

}  // namespace kvscope
