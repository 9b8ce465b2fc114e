#include "kernels/column_sum/column_sum.cuh"

namespace kvscope {

cudaError_t launch_column_sum(const KeyArguments& arguments, float* out, cudaStream_t stream) {
  const size_t shared_bytes = key_tile_shared_bytes(arguments.head_dim);
  const cudaError_t allowed =
      cudaFuncSetAttribute(column_sum_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(shared_bytes));
  if (allowed != cudaSuccess) return allowed;
  column_sum_kernel<<<key_tile_grid(arguments), kKeyThreads, shared_bytes, stream>>>(arguments,
                                                                                     out);
  return cudaGetLastError();
}

}  // namespace kvscope
