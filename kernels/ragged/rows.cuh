#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace kvscope {

/// Rows of one (row, head) on the device, fp32 or bf16, read as fp32; the counterpart of RowSource.
struct DeviceRows {
  const void* data;
  int64_t token_stride;    ///< elements from row to row
  int64_t channel_stride;  ///< elements from channel to channel
  bool narrow;             ///< bf16, else fp32

  __device__ float load(int64_t token, int64_t channel) const {
    const int64_t offset = token * token_stride + channel * channel_stride;
    return narrow ? __bfloat162float(static_cast<const __nv_bfloat16*>(data)[offset])
                  : static_cast<const float*>(data)[offset];
  }
  __device__ DeviceRows from(int64_t token) const {
    const int64_t bytes = token * token_stride * (narrow ? 2 : 4);
    return {static_cast<const char*>(data) + bytes, token_stride, channel_stride, narrow};
  }
};

/// A tensor [rows, heads, tokens, head_dim] of any strides.
struct DeviceStep {
  const void* data;
  int64_t row_stride;
  int64_t head_stride;
  DeviceRows layout;  ///< data unused

  __device__ DeviceRows of(int64_t row, int64_t head) const {
    const int64_t bytes = (row * row_stride + head * head_stride) * (layout.narrow ? 2 : 4);
    return {static_cast<const char*>(data) + bytes, layout.token_stride, layout.channel_stride,
            layout.narrow};
  }
};

__device__ inline void store(float value, int64_t offset, float* to) {
  to[offset] = value;
}
__device__ inline void store(float value, int64_t offset, __nv_bfloat16* to) {
  to[offset] = __float2bfloat16_rn(value);
}

}  // namespace kvscope
