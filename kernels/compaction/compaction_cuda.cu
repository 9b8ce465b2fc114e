#include <torch/library.h>

#include "kernels/compaction/compaction.cuh"
#include "kernels/ragged/launch.cuh"

namespace kvscope {
namespace {

/// Calls `launch` with the arena's data as float* or __nv_bfloat16*.
template <typename Launch>
void with_elements(const at::Tensor& arena, const Launch& launch) {
  void* data = arena.mutable_data_ptr();
  if (arena.scalar_type() == at::kBFloat16) {
    launch(static_cast<__nv_bfloat16*>(data));
  } else {
    launch(static_cast<float*>(data));
  }
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void append_cuda(const at::Tensor& keys,
                 const at::Tensor& values,
                 c10::IntArrayRef begin,
                 c10::IntArrayRef length,
                 const at::Tensor& k,
                 const at::Tensor& v) {
  if (k.numel() == 0) return;
  check_same_device("append_rows", v, k);
  const c10::cuda::CUDAGuard guard(k.device());
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  const at::Tensor begin_table = upload(begin, k.device());
  const at::Tensor length_table = upload(length, k.device());
  const dim3 grid(blocks_of(k.size(2), kAppendTile), static_cast<unsigned>(k.size(1)),
                  static_cast<unsigned>(k.size(0)));
  const auto append = [&](const at::Tensor& arena, const at::Tensor& step) {
    with_elements(arena, [&](auto* rows) {
      append_kernel<<<grid, kCompactionThreads, 0, stream>>>(
          device_step(step), step.size(2), step.size(3), begin_table.const_data_ptr<int64_t>(),
          length_table.const_data_ptr<int64_t>(), rows);
    });
  };
  append(keys, k);
  append(values, v);
}

void compact_cuda(const at::Tensor& keys,
                  const at::Tensor& values,
                  c10::IntArrayRef begin,
                  c10::IntArrayRef length,
                  const at::Tensor& k,
                  const at::Tensor& v,
                  c10::IntArrayRef kept,
                  c10::IntArrayRef kept_begin) {
  if (kept.empty() || k.size(3) == 0) return;
  check_same_device("compact_rows", v, k);
  const int tile_rows = staged_rows(k.size(3));
  TORCH_CHECK(tile_rows > 0, "compact_rows: head_dim ", k.size(3),
              " on a GPU, at most 8192 is supported");
  const c10::cuda::CUDAGuard guard(k.device());
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  const at::Tensor begin_table = upload(begin, k.device());
  const at::Tensor length_table = upload(length, k.device());
  const at::Tensor kept_table = upload(kept, k.device());
  const at::Tensor kept_begin_table = upload(kept_begin, k.device());
  const dim3 grid(1, static_cast<unsigned>(k.size(1)), static_cast<unsigned>(k.size(0)));
  const auto compact = [&](const at::Tensor& arena, const at::Tensor& step) {
    with_elements(arena, [&](auto* rows) {
      compact_kernel<<<grid, kCompactionThreads, kStagingBytes, stream>>>(
          device_step(step), step.size(3), begin_table.const_data_ptr<int64_t>(),
          length_table.const_data_ptr<int64_t>(), kept_table.const_data_ptr<int64_t>(),
          kept_begin_table.const_data_ptr<int64_t>(), tile_rows, rows);
    });
  };
  compact(keys, k);
  compact(values, v);
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("append_rows", &append_cuda);
  library.impl("compact_rows", &compact_cuda);
}

}  // namespace
}  // namespace kvscope
