// The CUDA plug-in's only file that knows LibTorch: it checks, uploads the host's tables, takes the
// current stream and enqueues. nvcc never sees a LibTorch header, which would cost it 40 s a file.
// Loading the plug-in registers these bodies beside the CPU ones.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "kernels/attention/attention_cuda.h"
#include "kernels/attention_rows/attention_rows_cuda.h"
#include "kernels/column_sum/column_sum_cuda.h"
#include "kernels/compaction/compaction_cuda.h"
#include "kernels/quantise/quantise_cuda.h"

namespace kvscope {
namespace {

bool is_narrow(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16;
}

/// [rows, heads, tokens, head_dim] of any strides.
DeviceStep device_step(const at::Tensor& tensor) {
  return {const_cast<void*>(tensor.const_data_ptr()),
          tensor.stride(0),
          tensor.stride(1),
          {nullptr, tensor.stride(2), tensor.stride(3), is_narrow(tensor)}};
}

/// A contiguous arena [arena rows, head_dim].
DeviceRows device_arena(const at::Tensor& arena) {
  return {const_cast<void*>(arena.const_data_ptr()), arena.size(1), 1, is_narrow(arena)};
}

/// A host table as an int64 tensor on the GPU, copied in stream order.
at::Tensor upload(c10::IntArrayRef values, at::Device device) {
  const auto count = static_cast<int64_t>(values.size());
  at::Tensor host = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<int64_t>());
  return host.to(device);
}

void check_same_device(const char* op, const at::Tensor& tensor, const at::Tensor& like) {
  TORCH_CHECK(tensor.device() == like.device(), op, ": one tensor is on ", tensor.device(),
              ", another on ", like.device(), "; all must be on one GPU");
}

void check_channels(const char* op, const at::Tensor& tensor, int64_t most) {
  TORCH_CHECK(tensor.size(3) <= most, op, ": head_dim ", tensor.size(3), ", a GPU takes at most ",
              most);
}

/// Query heads that read one head of `k`.
int64_t group_of(const at::Tensor& q, const at::Tensor& k) {
  return q.size(1) / std::max<int64_t>(1, k.size(1));
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

/// The tables of column_sum() and attention_rows() on the GPU, kept until the kernel is enqueued.
class KeyTables {
 public:
  KeyTables(c10::IntArrayRef begin, c10::IntArrayRef length, int64_t tokens, at::Device device)
      : begin_(upload(begin, device)), length_(upload(length, device)) {
    std::vector<int64_t> offsets{0};
    for (const int64_t held : length) {
      offsets.push_back(offsets.back() + held + tokens);
      most_columns_ = std::max(most_columns_, held + tokens);
    }
    all_columns_ = offsets.back();
    offsets_ = upload(offsets, device);
  }

  [[nodiscard]] int64_t all_columns() const { return all_columns_; }

  [[nodiscard]] KeyArguments arguments(const at::Tensor& q,
                                       const float* lse,
                                       const at::Tensor& history_keys,
                                       const at::Tensor& k,
                                       double softmax_scale,
                                       bool causal) const {
    return {.q = device_step(q),
            .k = device_step(k),
            .history_keys = device_arena(history_keys),
            .lse = lse,
            .begin = begin_.const_data_ptr<int64_t>(),
            .length = length_.const_data_ptr<int64_t>(),
            .column_offsets = offsets_.const_data_ptr<int64_t>(),
            .rows = q.size(0),
            .heads = k.size(1),
            .group = group_of(q, k),
            .queries = q.size(2),
            .tokens = k.size(2),
            .most_columns = most_columns_,
            .head_dim = static_cast<int>(q.size(3)),
            .softmax_scale = static_cast<float>(softmax_scale),
            .causal = causal};
  }

 private:
  at::Tensor begin_;
  at::Tensor length_;
  at::Tensor offsets_;
  int64_t most_columns_ = 0;
  int64_t all_columns_ = 0;
};

at::Tensor column_sum_cuda(const at::Tensor& q,
                           const at::Tensor& lse_in,
                           const at::Tensor& history_keys,
                           c10::IntArrayRef begin,
                           c10::IntArrayRef length,
                           const at::Tensor& k,
                           double softmax_scale,
                           bool causal) {
  check_same_device("column_sum", q, k);
  check_same_device("column_sum", lse_in, k);
  check_channels("column_sum", q, kKeyMostChannels);
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor lse = lse_in.contiguous();
  const KeyTables tables(begin, length, k.size(2), q.device());
  at::Tensor out = at::empty({tables.all_columns()}, q.options().dtype(at::kFloat));
  if (out.numel() == 0) return out;
  C10_CUDA_CHECK(launch_column_sum(
      tables.arguments(q, lse.const_data_ptr<float>(), history_keys, k, softmax_scale, causal),
      out.mutable_data_ptr<float>(), c10::cuda::getCurrentCUDAStream()));
  return out;
}

at::Tensor attention_rows_cuda(const at::Tensor& q,
                               const std::optional<at::Tensor>& lse_in,
                               const at::Tensor& history_keys,
                               c10::IntArrayRef begin,
                               c10::IntArrayRef length,
                               const at::Tensor& k,
                               double softmax_scale,
                               c10::IntArrayRef query_indices,
                               bool causal) {
  check_same_device("attention_rows", q, k);
  if (lse_in) check_same_device("attention_rows", *lse_in, k);
  check_channels("attention_rows", q, kKeyMostChannels);
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor lse = lse_in ? lse_in->contiguous() : at::Tensor();
  const float* lse_data = lse_in ? lse.const_data_ptr<float>() : nullptr;
  const auto window = static_cast<int64_t>(query_indices.size());
  const KeyTables tables(begin, length, k.size(2), q.device());
  at::Tensor out =
      at::empty({group_of(q, k) * window * tables.all_columns()}, q.options().dtype(at::kFloat));
  if (out.numel() == 0) return out;
  const at::Tensor index_table = upload(query_indices, q.device());
  C10_CUDA_CHECK(
      launch_attention_rows(tables.arguments(q, lse_data, history_keys, k, softmax_scale, causal),
                            index_table.const_data_ptr<int64_t>(), window,
                            out.mutable_data_ptr<float>(), c10::cuda::getCurrentCUDAStream()));
  return out;
}

/// [items, lanes, elements] of any strides.
DeviceLines device_lines(const at::Tensor& tensor) {
  return {const_cast<void*>(tensor.const_data_ptr()), tensor.stride(0), tensor.stride(1),
          tensor.stride(2),
          tensor.scalar_type() == at::kFloat      ? DeviceNumber::kFloat
          : tensor.scalar_type() == at::kBFloat16 ? DeviceNumber::kBFloat16
                                                  : DeviceNumber::kHalf};
}

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
  library.impl("ragged_attention", &attention_cuda);
  library.impl("column_sum", &column_sum_cuda);
  library.impl("attention_rows", &attention_rows_cuda);
  library.impl("append_rows", &append_cuda);
  library.impl("compact_rows", &compact_cuda);
  library.impl("quantise", &quantise_cuda);
  library.impl("dequantise", &dequantise_cuda);
}

}  // namespace
}  // namespace kvscope
