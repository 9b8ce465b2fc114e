#include "kernels/attention_rows/attention_rows_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <optional>

#include "kernels/device/key_tables.h"

namespace kvscope {
namespace {

at::Tensor attention_rows_cuda(const at::Tensor& q,
                               const std::optional<at::Tensor>& lse_in,
                               const at::Tensor& history_keys,
                               c10::IntArrayRef begin,
                               c10::IntArrayRef length,
                               const at::Tensor& k,
                               double softmax_scale,
                               c10::IntArrayRef query_indices,
                               bool causal) {
  check_same_device("attention_rows", q, k);
  if (lse_in) check_same_device("attention_rows", *lse_in, k);
  check_channels("attention_rows", q, kKeyMostChannels);
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor lse = lse_in ? lse_in->contiguous() : at::Tensor();
  const float* lse_data = lse_in ? lse.const_data_ptr<float>() : nullptr;
  const auto window = static_cast<int64_t>(query_indices.size());
  const KeyTables tables(begin, length, k.size(2), q.device());
  at::Tensor out =
      at::empty({group_of(q, k) * window * tables.all_columns()}, q.options().dtype(at::kFloat));
  if (out.numel() == 0) return out;
  const at::Tensor index_table = upload(query_indices, q.device());
  C10_CUDA_CHECK(
      launch_attention_rows(tables.arguments(q, lse_data, history_keys, k, softmax_scale, causal),
                            index_table.const_data_ptr<int64_t>(), window,
                            out.mutable_data_ptr<float>(), c10::cuda::getCurrentCUDAStream()));
  return out;
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("attention_rows", &attention_rows_cuda);
}

}  // namespace
}  // namespace kvscope
