#include "kernels/compaction/compaction_cuda.h"

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "kernels/device/device_tensors.h"

namespace kvscope {
namespace {

/// Where keys, or values, of a step go; the tables are the caller's.
CompactionArguments compaction_arguments(const at::Tensor& arena,
                                         const at::Tensor& step,
                                         const at::Tensor& begin_table,
                                         const at::Tensor& length_table) {
  return {.step = device_step(step),
          .arena = device_arena(arena),
          .begin = begin_table.const_data_ptr<int64_t>(),
          .length = length_table.const_data_ptr<int64_t>(),
          .rows = step.size(0),
          .heads = step.size(1),
          .tokens = step.size(2),
          .head_dim = step.size(3)};
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
  C10_CUDA_CHECK(launch_append(compaction_arguments(keys, k, begin_table, length_table), stream));
  C10_CUDA_CHECK(launch_append(compaction_arguments(values, v, begin_table, length_table), stream));
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
  check_channels("compact_rows", k, kCompactionMostChannels);
  const c10::cuda::CUDAGuard guard(k.device());
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  const at::Tensor begin_table = upload(begin, k.device());
  const at::Tensor length_table = upload(length, k.device());
  const at::Tensor kept_table = upload(kept, k.device());
  const at::Tensor kept_begin_table = upload(kept_begin, k.device());
  const auto compact = [&](const at::Tensor& arena, const at::Tensor& step) {
    C10_CUDA_CHECK(launch_compact(compaction_arguments(arena, step, begin_table, length_table),
                                  kept_table.const_data_ptr<int64_t>(),
                                  kept_begin_table.const_data_ptr<int64_t>(), stream));
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
