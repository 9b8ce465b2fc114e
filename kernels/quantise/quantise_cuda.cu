#include "kernels/quantise/quantise.cuh"

namespace kvscope {

cudaError_t launch_quantise(const QuantiseArguments& arguments,
                            bool* is_finite,
                            cudaStream_t stream) {
  quantise_kernel<<<quantise_blocks(arguments), kQuantiseThreads, 0, stream>>>(arguments,
                                                                               is_finite);
  return cudaGetLastError();
}

cudaError_t launch_dequantise(const QuantiseArguments& arguments, cudaStream_t stream) {
  dequantise_kernel<<<quantise_blocks(arguments), kQuantiseThreads, 0, stream>>>(arguments);
  return cudaGetLastError();
}

}  // namespace kvscope
