#include <torch/library.h>

#include <tuple>

#include "kernels/attention/attention.cuh"
#include "kernels/ragged/launch.cuh"

namespace kvscope {
namespace {

template <int kChannels, typename Out>
void launch(const AttentionArguments& arguments, int64_t rows, Out* out, cudaStream_t stream) {
  const size_t shared_bytes = attention_shared_bytes(arguments.head_dim);
  // More than 48 KiB of shared memory must be asked for.
  C10_CUDA_CHECK(cudaFuncSetAttribute(attention_kernel<kChannels, Out>,
                                      cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared_bytes)));
  const dim3 grid(blocks_of(arguments.queries, kAttentionTile),
                  static_cast<unsigned>(arguments.heads), static_cast<unsigned>(rows));
  attention_kernel<kChannels, Out>
      <<<grid, kAttentionThreads, shared_bytes, stream>>>(arguments, out);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

template <typename Out>
void launch(const AttentionArguments& arguments, int64_t rows, void* out, cudaStream_t stream) {
  auto* typed = static_cast<Out*>(out);
  if (arguments.head_dim <= 64) {
    launch<16>(arguments, rows, typed, stream);
  } else if (arguments.head_dim <= 128) {
    launch<32>(arguments, rows, typed, stream);
  } else {
    launch<64>(arguments, rows, typed, stream);
  }
}

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
  TORCH_CHECK(q.size(3) <= 256, "ragged_attention: head_dim ", q.size(3),
              " on a GPU, at most 256 is supported");
  const c10::cuda::CUDAGuard guard(q.device());
  const int64_t rows = q.size(0);
  const int64_t heads = q.size(1);
  const int64_t queries = q.size(2);
  at::Tensor memory = at::empty({rows, queries, heads, q.size(3)}, q.options());
  at::Tensor lse = at::empty({rows, heads, queries}, q.options().dtype(at::kFloat));
  if (lse.numel() == 0) return {memory.transpose(1, 2), lse};

  const at::Tensor begin_table = upload(begin, q.device());
  const at::Tensor length_table = upload(length, q.device());
  const AttentionArguments arguments{.q = device_step(q),
                                     .k = device_step(k),
                                     .v = device_step(v),
                                     .history_keys = device_arena(history_keys),
                                     .history_values = device_arena(history_values),
                                     .begin = begin_table.const_data_ptr<int64_t>(),
                                     .length = length_table.const_data_ptr<int64_t>(),
                                     .heads = heads,
                                     .queries = queries,
                                     .tokens = k.size(2),
                                     .head_dim = static_cast<int>(q.size(3)),
                                     .softmax_scale = static_cast<float>(softmax_scale),
                                     .causal = causal,
                                     .lse = lse.mutable_data_ptr<float>()};
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  if (q.scalar_type() == at::kBFloat16) {
    launch<__nv_bfloat16>(arguments, rows, memory.mutable_data_ptr(), stream);
  } else {
    launch<float>(arguments, rows, memory.mutable_data_ptr(), stream);
  }
  return {memory.transpose(1, 2), lse};
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("ragged_attention", &attention_cuda);
}

}  // namespace
}  // namespace kvscope
