#include "kernels/quantise/quantise_cuda.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "kernels/device/device_tensors.h"
#include "kernels/quantise/device_lines.h"

namespace kvscope {
namespace {

QuantiseArguments quantise_arguments(const at::Tensor& x,
                                     const at::Tensor& codes,
                                     const at::Tensor& scale,
                                     const at::Tensor& minimum,
                                     const at::Tensor& source_table,
                                     const at::Tensor& target_table,
                                     int64_t bits,
                                     int64_t group) {
  return {.x = device_lines(x),
          .codes = device_lines(codes),
          .scale = device_lines(scale),
          .minimum = device_lines(minimum),
          .source = source_table.const_data_ptr<int64_t>(),
          .target = target_table.const_data_ptr<int64_t>(),
          .items = source_table.numel(),
          .lanes = x.size(1),
          .elements = x.size(2),
          .group = group,
          .bits = static_cast<int>(bits)};
}

at::Tensor quantise_cuda(const at::Tensor& x,
                         c10::IntArrayRef source,
                         const at::Tensor& codes,
                         const at::Tensor& scale,
                         const at::Tensor& minimum,
                         c10::IntArrayRef target,
                         int64_t bits,
                         int64_t group) {
  const c10::cuda::CUDAGuard guard(x.device());
  const auto items = static_cast<int64_t>(source.size());
  at::Tensor is_finite = at::ones({items}, x.options().dtype(at::kBool));
  if (items == 0 || x.size(1) * x.size(2) == 0) return is_finite;
  const at::Tensor source_table = upload(source, x.device());
  const at::Tensor target_table = upload(target, x.device());
  C10_CUDA_CHECK(launch_quantise(
      quantise_arguments(x, codes, scale, minimum, source_table, target_table, bits, group),
      is_finite.mutable_data_ptr<bool>(), c10::cuda::getCurrentCUDAStream()));
  return is_finite;
}

void dequantise_cuda(const at::Tensor& codes,
                     const at::Tensor& scale,
                     const at::Tensor& minimum,
                     c10::IntArrayRef source,
                     const at::Tensor& x,
                     c10::IntArrayRef target,
                     int64_t bits,
                     int64_t group) {
  if (source.empty() || x.size(1) * x.size(2) == 0) return;
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor source_table = upload(source, x.device());
  const at::Tensor target_table = upload(target, x.device());
  C10_CUDA_CHECK(launch_dequantise(
      quantise_arguments(x, codes, scale, minimum, source_table, target_table, bits, group),
      c10::cuda::getCurrentCUDAStream()));
}

TORCH_LIBRARY_IMPL(kvscope, CUDA, library) {
  library.impl("quantise", &quantise_cuda);
  library.impl("dequantise", &dequantise_cuda);
}

}  // namespace
}  // namespace kvscope
