#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>

#include "kernels/ragged/rows.cuh"

// What every *_cuda.cu does between LibTorch and its kernel.
namespace kvscope {

inline DeviceStep device_step(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(),
          tensor.stride(0),
          tensor.stride(1),
          {nullptr, tensor.stride(2), tensor.stride(3), tensor.scalar_type() == at::kBFloat16}};
}

/// A contiguous arena [arena rows, head_dim].
inline DeviceRows device_arena(const at::Tensor& arena) {
  return {arena.const_data_ptr(), arena.size(1), 1, arena.scalar_type() == at::kBFloat16};
}

/// A host table as an int64 tensor on `device`. Copied in stream order; the host does not wait for
/// the device, as the staging buffer is pageable and read before the copy returns.
inline at::Tensor upload(at::IntArrayRef values, at::Device device) {
  const auto count = static_cast<int64_t>(values.size());
  at::Tensor host = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<int64_t>());
  return host.to(device);
}

inline unsigned blocks_of(int64_t items, int64_t block) {
  return static_cast<unsigned>((items + block - 1) / block);
}

inline void check_same_device(const char* op, const at::Tensor& tensor, const at::Tensor& like) {
  TORCH_CHECK(tensor.device() == like.device(), op, ": one tensor is on ", tensor.device(),
              ", another on ", like.device(), "; all must be on one GPU");
}

}  // namespace kvscope
