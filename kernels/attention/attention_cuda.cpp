#include "kernels/attention/attention_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <tuple>

#include "kernels/device/device_tensors.h"

namespace kvscope {
namespace {

std::tuple<at::Tensor, at::Tensor> attention_cuda(const at::Tensor& q,
                                                  const at::Tensor& history_keys,
                                                  const at::Tensor& history_values,
                                                  c10::IntArrayRef begin,
                                                  c10::IntArrayRef length,
                                                  const at::Tensor& k,
                                                  const at::Tensor& v,
                                                  double softmax_scale,
                                                  bool causal) {
  check_same_device("ragged_attention", q, k);
  check_same_device("ragged_attention", v, k);
  check_channels("ragged_attention", q, kAttentionMostChannels);
  const c10::cuda::CUDAGuard guard(q.device());
  const int64_t rows = q.size(0);
  const int64_t queries = q.size(2);
  at::Tensor memory = at::empty({rows, queries, q.size(1), q.size(3)}, q.options());
  at::Tensor lse = at::empty({rows, q.size(1), queries}, q.options().dtype(at::kFloat));
  if (lse.numel() == 0) return {memory.transpose(1, 2), lse};

  const at::Tensor begin_table = upload(begin, q.device());
  const at::Tensor length_table = upload(length, q.device());
  C10_CUDA_CHECK(launch_attention({.q = device_step(q),
                                   .k = device_step(k),
                                   .v = device_step(v),
                                   .history_keys = device_arena(history_keys),
                                   .history_values = device_arena(history_values),
                                   .begin = begin_table.const_data_ptr<int64_t>(),
                                   .length = length_table.const_data_ptr<int64_t>(),
                                   .rows = rows,
                                   .heads = k.size(1),
                                   .group = group_of(q, k),
                                   .queries = queries,
                                   .tokens = k.size(2),
                                   .head_dim = static_cast<int>(q.size(3)),
                                   .softmax_scale = static_cast<float>(softmax_scale),
                                   .causal = causal,
                                   .out = memory.mutable_data_ptr(),
                                   .lse = lse.mutable_data_ptr<float>()},
                                  c10::cuda::getCurrentCUDAStream()));
  return {memory.transpose(1, 2), lse};
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("ragged_attention", &attention_cuda);
}

}  // namespace
}  // namespace kvscope
