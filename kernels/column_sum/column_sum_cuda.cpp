#include "kernels/column_sum/column_sum_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "kernels/device/key_tables.h"

namespace kvscope {
namespace {

at::Tensor column_sum_cuda(const at::Tensor& q,
                           const at::Tensor& lse_in,
                           const at::Tensor& history_keys,
                           c10::IntArrayRef begin,
                           c10::IntArrayRef length,
                           const at::Tensor& k,
                           double softmax_scale,
                           bool causal) {
  check_same_device("column_sum", q, k);
  check_same_device("column_sum", lse_in, k);
  check_channels("column_sum", q, kKeyMostChannels);
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor lse = lse_in.contiguous();
  const KeyTables tables(begin, length, k.size(2), q.device());
  at::Tensor out = at::empty({tables.all_columns()}, q.options().dtype(at::kFloat));
  if (out.numel() == 0) return out;
  C10_CUDA_CHECK(launch_column_sum(
      tables.arguments(q, lse.const_data_ptr<float>(), history_keys, k, softmax_scale, causal),
      out.mutable_data_ptr<float>(), c10::cuda::getCurrentCUDAStream()));
  return out;
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("column_sum", &column_sum_cuda);
}

}  // namespace
}  // namespace kvscope
