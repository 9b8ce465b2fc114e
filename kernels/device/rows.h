#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

namespace kvscope {

/// Rounds to nearest even where `to` is bf16.
__device__ inline void store(float value, int64_t offset, void* to, bool narrow) {
  if (narrow) {
    static_cast<__nv_bfloat16*>(to)[offset] = __float2bfloat16_rn(value);
  } else {
    static_cast<float*>(to)[offset] = value;
  }
}

/// Rows of one (row, head) on the device, fp32 or bf16, seen as fp32; the counterpart of RowSource.
struct DeviceRows {
  void* data;              ///< written only where it is an arena
  int64_t token_stride;    ///< elements from row to row
  int64_t channel_stride;  ///< elements from channel to channel
  bool narrow;             ///< bf16, else fp32

  __device__ float load(int64_t token, int64_t channel) const {
    const int64_t offset = token * token_stride + channel * channel_stride;
    return narrow ? __bfloat162float(static_cast<const __nv_bfloat16*>(data)[offset])
                  : static_cast<const float*>(data)[offset];
  }
  /// `offset` in elements; rounds to nearest even where bf16.
  __device__ void store(float value, int64_t offset) const {
    kvscope::store(value, offset, data, narrow);
  }
  __device__ DeviceRows from(int64_t token) const {
    const int64_t bytes = token * token_stride * (narrow ? 2 : 4);
    return {static_cast<char*>(data) + bytes, token_stride, channel_stride, narrow};
  }
};

/// A tensor [rows, heads, tokens, head_dim] of any strides.
struct DeviceStep {
  void* data;
  int64_t row_stride;
  int64_t head_stride;
  DeviceRows layout;  ///< data unused

  __device__ DeviceRows of(int64_t row, int64_t head) const {
    const int64_t bytes = (row * row_stride + head * head_stride) * (layout.narrow ? 2 : 4);
    return {static_cast<char*>(data) + bytes, layout.token_stride, layout.channel_stride,
            layout.narrow};
  }
};

}  // namespace kvscope
