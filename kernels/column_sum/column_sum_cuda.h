#pragma once

#include "kernels/device/key_tile.h"

namespace kvscope {

/// Enqueues out[column_offsets[slot] + j] = sum_i exp(s_ij - lse_i) over the queries of
/// the slot's group; the same sum in the same order every time. head_dim <= 256.
cudaError_t launch_column_sum(const KeyArguments& arguments, float* out, cudaStream_t stream);

}  // namespace kvscope
