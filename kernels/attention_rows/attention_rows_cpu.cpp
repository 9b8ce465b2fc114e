#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>

#include "kernels/attention_rows/attention_rows.h"
#include "kernels/ragged/checks.h"
#include "kernels/tile/exp.h"
#include "kernels/tile/key_blocks.h"
#include "kernels/tile/tile.h"

namespace kvscope {
namespace {

constexpr int64_t kKeyBlock = 256;
constexpr int64_t kOperationsPerThread = 400'000;

/// row[j] = exp(row[j] - lse) for `padded` columns, a multiple of 16.
void soften(float* row, int64_t padded, float lse) {
  const __m256 shift = _mm256_set1_ps(lse);
  for (int64_t j = 0; j < padded; j += 8) {
    _mm256_storeu_ps(row + j, exp8(_mm256_sub_ps(_mm256_loadu_ps(row + j), shift)));
  }
}

at::Tensor rows_cpu(const at::Tensor& q_in,
                    const std::optional<at::Tensor>& lse_in,
                    const at::Tensor& history_keys,
                    c10::IntArrayRef begin,
                    c10::IntArrayRef length,
                    const at::Tensor& k_in,
                    double softmax_scale,
                    c10::IntArrayRef query_indices,
                    bool causal) {
  const at::Tensor q = with_adjacent_channels(q_in);
  const at::Tensor k = with_adjacent_channels(k_in);
  const at::Tensor lse = lse_in ? lse_in->contiguous() : at::Tensor();
  const float* lse_data = lse_in ? lse.const_data_ptr<float>() : nullptr;
  const int64_t heads = k.size(1);
  const int64_t group = q.size(1) / std::max<int64_t>(1, heads);
  const int64_t queries = q.size(2);
  const int64_t depth = q.size(3);
  const auto window = static_cast<int64_t>(query_indices.size());
  const int64_t lines = group * window;  // of a slot
  const std::vector<int64_t> offsets = column_offsets(length, k.size(2));
  at::Tensor result = at::empty({lines * offsets.back()}, q.options().dtype(at::kFloat));
  auto* out = result.mutable_data_ptr<float>();

  const std::vector<KeyBlock> blocks = key_blocks(history_keys, begin, length, k, kKeyBlock);
  const int64_t grain =
      std::max<int64_t>(1, kOperationsPerThread / std::max<int64_t>(1, lines * depth * kKeyBlock));
  at::parallel_for(0, static_cast<int64_t>(blocks.size()), grain, [&](int64_t first, int64_t last) {
    const Scratch panels(kKeyBlock * depth);
    const Scratch scaled(lines * depth);
    const Scratch scores(lines * kKeyBlock);
    const BlockScores products(lines, depth, kKeyBlock);
    for (int64_t task = first; task < last; ++task) {
      const KeyBlock& block = blocks[task];
      const int64_t padded = round_to_panel(block.count);
      const int64_t slot = block.row * heads + block.head;
      const int64_t columns = offsets[slot + 1] - offsets[slot];
      for (int64_t line = 0; line < lines; ++line) {
        const RowSource rows = rows_of(q, block.row, block.head * group + line / window);
        widen_rows(rows.from(query_indices[line % window]), 1, depth,
                   static_cast<float>(softmax_scale), scaled.data() + line * depth);
      }
      products.pack(block, panels.data());
      products.multiply(block, panels.data(), scaled.data(), lines, scores.data());
      for (int64_t line = 0; line < lines; ++line) {
        float* row = scores.data() + line * kKeyBlock;
        const int64_t query = query_indices[line % window];
        if (causal) hide_later_keys(block, query, row);
        if (lse_data != nullptr) {
          soften(row, padded, lse_data[(slot * group + line / window) * queries + query]);
        }
        std::copy_n(row, block.count, out + lines * offsets[slot] + line * columns + block.column);
      }
    }
  });
  return result;
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "attention_rows(Tensor q, Tensor? lse, Tensor history_keys, int[] begin, int[] length, "
      "Tensor k, float softmax_scale, int[] query_indices, bool causal) -> Tensor");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("attention_rows", &rows_cpu);
}

at::Tensor dispatch(const char* name,
                    const at::Tensor& q,
                    const std::optional<at::Tensor>& lse,
                    const RaggedRows& history,
                    const at::Tensor& k,
                    double softmax_scale,
                    std::span<const int64_t> query_indices,
                    bool causal) {
  check_ragged({.op = name,
                .q = q,
                .history_keys = history.keys,
                .history_values = at::Tensor(),
                .begin = as_array(history.begin),
                .length = as_array(history.length),
                .k = k,
                .v = at::Tensor()});
  if (lse) check_lse(name, *lse, q);
  for (const int64_t index : query_indices) {
    TORCH_CHECK(index >= 0 && index < q.size(2), name, ": query index ", index, " is outside [0, ",
                q.size(2), ")");
  }
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::attention_rows", "")
                             .typed<decltype(rows_cpu)>();
  return op.call(q, lse, history.keys, as_array(history.begin), as_array(history.length), k,
                 softmax_scale, as_array(query_indices), causal);
}

}  // namespace

at::Tensor attention_rows(const at::Tensor& q,
                          const at::Tensor& lse,
                          const RaggedRows& history,
                          const at::Tensor& k,
                          double softmax_scale,
                          std::span<const int64_t> query_indices,
                          bool causal) {
  return dispatch("attention_rows", q, lse, history, k, softmax_scale, query_indices, causal);
}

at::Tensor score_rows(const at::Tensor& q,
                      const RaggedRows& history,
                      const at::Tensor& k,
                      double softmax_scale,
                      std::span<const int64_t> query_indices,
                      bool causal) {
  return dispatch("score_rows", q, std::nullopt, history, k, softmax_scale, query_indices, causal);
}

at::Tensor rows_of_slot(const at::Tensor& packed,
                        std::span<const int64_t> offsets,
                        int64_t lines,
                        int64_t slot) {
  const int64_t columns = offsets[slot + 1] - offsets[slot];
  return packed.narrow(0, lines * offsets[slot], lines * columns).view({lines, columns});
}

}  // namespace kvscope
