#pragma once

#include <cstdint>

#include "kernels/device/rows.h"

namespace kvscope {

/// ragged_attention() as a GPU sees it: raw pointers, no LibTorch.
struct AttentionArguments {
  DeviceStep q;
  DeviceStep k;
  DeviceStep v;
  DeviceRows history_keys;    // the whole arena
  DeviceRows history_values;  // likewise
  const int64_t* begin;       // [rows * heads]
  const int64_t* length;      // [rows * heads]
  int64_t rows;
  int64_t heads;  // of keys and values
  int64_t group;  // query heads that read one of them
  int64_t queries;
  int64_t tokens;  // of the current step
  int head_dim;
  float softmax_scale;
  bool causal;
  void* out;   // [rows, queries, heads * group, head_dim], type of q
  float* lse;  // [rows, heads * group, queries]
};

inline constexpr int kAttentionMostChannels = 256;

/// Enqueues the kernel; head_dim <= 256.
cudaError_t launch_attention(const AttentionArguments& arguments, cudaStream_t stream);

}  // namespace kvscope
