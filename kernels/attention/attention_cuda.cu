#include "kernels/attention/attention.cuh"

namespace kvscope {
namespace {

template <int kChannels>
cudaError_t launch(const AttentionArguments& arguments, cudaStream_t stream) {
  const size_t shared_bytes = attention_shared_bytes(arguments.head_dim);
  // More than 48 KiB of shared memory must be asked for.
  const cudaError_t allowed =
      cudaFuncSetAttribute(attention_kernel<kChannels>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(shared_bytes));
  if (allowed != cudaSuccess) return allowed;
  const int64_t tiles = (arguments.queries + kAttentionTile - 1) / kAttentionTile;
  const dim3 grid(static_cast<unsigned>(tiles),
                  static_cast<unsigned>(arguments.heads * arguments.group),
                  static_cast<unsigned>(arguments.rows));
  attention_kernel<kChannels><<<grid, kAttentionThreads, shared_bytes, stream>>>(arguments);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_attention(const AttentionArguments& arguments, cudaStream_t stream) {
  if (arguments.head_dim <= 64) return launch<16>(arguments, stream);
  if (arguments.head_dim <= 128) return launch<32>(arguments, stream);
  return launch<64>(arguments, stream);
}

}  // namespace kvscope
