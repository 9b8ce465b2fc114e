#pragma once

#include "kernels/device/key_tile.h"

namespace kvscope {

/// Enqueues out[group * window * column_offsets[slot] + (g * window + w) * columns + j] =
/// exp(s_ij - lse_i), or s_ij where arguments.lse is null, i = query_indices[w] of query head g of
/// the slot's group. head_dim <= 256.
cudaError_t launch_attention_rows(const KeyArguments& arguments,
                                  const int64_t* query_indices,
                                  int64_t window,
                                  float* out,
                                  cudaStream_t stream);

}  // namespace kvscope
