#pragma once

#include <cstdint>

#include "kernels/device/rows.h"

namespace kvscope {

/// Arguments of the kernels that look at a key from many queries, column_sum() and
/// attention_rows(): raw pointers, no LibTorch.
struct KeyArguments {
  DeviceStep q;
  DeviceStep k;
  DeviceRows history_keys;        // the whole arena
  const float* lse;               // [rows, heads * group, queries]; null for raw scores
  const int64_t* begin;           // [rows * heads]
  const int64_t* length;          // [rows * heads]
  const int64_t* column_offsets;  // [rows * heads + 1] first column of each slot
  int64_t rows;
  int64_t heads;  // of keys
  int64_t group;  // query heads that read one of them
  int64_t queries;
  int64_t tokens;        // of the current step
  int64_t most_columns;  // of any slot
  int head_dim;
  float softmax_scale;
  bool causal;
};

inline constexpr int64_t kKeyMostChannels = 256;

}  // namespace kvscope
