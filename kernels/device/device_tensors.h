#pragma once

// How a kernel's raw pointers are taken from LibTorch's tensors: for the OP_cuda.cpp files of the
// CUDA plug-in. nvcc never sees a LibTorch header, which would cost it 40 s per file.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>

#include "kernels/device/rows.h"

namespace kvscope {

inline bool is_narrow(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16;
}

/// [rows, heads, tokens, head_dim] of any strides.
inline DeviceStep device_step(const at::Tensor& tensor) {
  return {const_cast<void*>(tensor.const_data_ptr()),
          tensor.stride(0),
          tensor.stride(1),
          {nullptr, tensor.stride(2), tensor.stride(3), is_narrow(tensor)}};
}

/// A contiguous arena [arena rows, head_dim].
inline DeviceRows device_arena(const at::Tensor& arena) {
  return {const_cast<void*>(arena.const_data_ptr()), arena.size(1), 1, is_narrow(arena)};
}

/// A host table as an int64 tensor on `device`, copied in stream order; to be kept until the kernel
/// that reads it is enqueued.
inline at::Tensor upload(c10::IntArrayRef values, at::Device device) {
  const auto count = static_cast<int64_t>(values.size());
  at::Tensor host = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<int64_t>());
  return host.to(device);
}

/// Throws c10::Error unless both are on one device.
inline void check_same_device(const char* op, const at::Tensor& tensor, const at::Tensor& like) {
  TORCH_CHECK(tensor.device() == like.device(), op, ": one tensor is on ", tensor.device(),
              ", another on ", like.device(), "; all must be on one GPU");
}

/// Throws c10::Error where head_dim, the last of four dimensions, is above `most`.
inline void check_channels(const char* op, const at::Tensor& tensor, int64_t most) {
  TORCH_CHECK(tensor.size(3) <= most, op, ": head_dim ", tensor.size(3), ", a GPU takes at most ",
              most);
}

/// Query heads that read one head of `k`.
inline int64_t group_of(const at::Tensor& q, const at::Tensor& k) {
  return q.size(1) / std::max<int64_t>(1, k.size(1));
}

}  // namespace kvscope
