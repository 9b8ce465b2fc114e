#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace kvscope {

enum class DeviceNumber : uint8_t { kFloat, kBFloat16, kHalf };

/// A tensor [items, lanes, elements] on the device; strides in elements.
struct DeviceLines {
  void* data;
  int64_t item_stride;
  int64_t lane_stride;
  int64_t element_stride;
  DeviceNumber type;  ///< of codes: not read
};

/// quantise() and dequantise() as a GPU sees them.
struct QuantiseArguments {
  DeviceLines x;
  DeviceLines codes;
  DeviceLines scale;
  DeviceLines minimum;
  const int64_t* source;  // [items]
  const int64_t* target;  // [items]
  int64_t items;
  int64_t lanes;
  int64_t elements;
  int64_t group;
  int bits;
};

/// Enqueues the quantisation of x items `source` to codes items `target`; `is_finite` [items] must
/// be true before, and becomes false where a scale is not finite.
cudaError_t launch_quantise(const QuantiseArguments& arguments,
                            bool* is_finite,
                            cudaStream_t stream);

/// Enqueues the way back, codes items `source` to x items `target`.
cudaError_t launch_dequantise(const QuantiseArguments& arguments, cudaStream_t stream);

}  // namespace kvscope
