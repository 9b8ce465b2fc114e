#include "kernels/compaction/compaction.cuh"

namespace kvscope {

cudaError_t launch_append(const CompactionArguments& arguments, cudaStream_t stream) {
  const int64_t tiles = (arguments.tokens + kAppendTile - 1) / kAppendTile;
  const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(arguments.heads),
                  static_cast<unsigned>(arguments.rows));
  append_kernel<<<grid, kCompactionThreads, 0, stream>>>(arguments);
  return cudaGetLastError();
}

cudaError_t launch_compact(const CompactionArguments& arguments,
                           const int64_t* kept,
                           const int64_t* kept_begin,
                           cudaStream_t stream) {
  const dim3 grid(1, static_cast<unsigned>(arguments.heads), static_cast<unsigned>(arguments.rows));
  compact_kernel<<<grid, kCompactionThreads, kStagingBytes, stream>>>(
      arguments, kept, kept_begin, staged_rows(arguments.head_dim));
  return cudaGetLastError();
}

}  // namespace kvscope
