#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/quantise/quantise_cuda.h"

namespace kvscope {

/// [items, lanes, elements] of any strides.
inline DeviceLines device_lines(const at::Tensor& tensor) {
  return {const_cast<void*>(tensor.const_data_ptr()), tensor.stride(0), tensor.stride(1),
          tensor.stride(2),
          tensor.scalar_type() == at::kFloat      ? DeviceNumber::kFloat
          : tensor.scalar_type() == at::kBFloat16 ? DeviceNumber::kBFloat16
                                                  : DeviceNumber::kHalf};
}

}  // namespace kvscope
