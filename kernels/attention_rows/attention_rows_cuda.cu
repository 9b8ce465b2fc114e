#include "kernels/attention_rows/attention_rows.cuh"

namespace kvscope {

cudaError_t launch_attention_rows(const KeyArguments& arguments,
                                  const int64_t* query_indices,
                                  int64_t window,
                                  float* out,
                                  cudaStream_t stream) {
  const size_t shared_bytes = key_tile_shared_bytes(arguments.head_dim);
  const cudaError_t allowed =
      cudaFuncSetAttribute(attention_rows_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(shared_bytes));
  if (allowed != cudaSuccess) return allowed;
  attention_rows_kernel<<<key_tile_grid(arguments), kKeyThreads, shared_bytes, stream>>>(
      arguments, query_indices, window, out);
  return cudaGetLastError();
}

}  // namespace kvscope
