#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>

#include "kernels/column_sum/column_sum.h"
#include "kernels/ragged/checks.h"
#include "kernels/tile/exp.h"
#include "kernels/tile/key_blocks.h"
#include "kernels/tile/tile.h"

namespace kvscope {
namespace {

constexpr int64_t kKeyBlock = 256;
constexpr int64_t kQueryBlock = 96;  // as in attention: whole register tiles within the cache
constexpr int64_t kOperationsPerThread = 400'000;

/// sums[j] += sum_i exp(scores[i, j] - lse[i]); `padded` columns, a multiple of 16.
void add_columns(
    const float* scores, int64_t count, int64_t padded, const float* lse, float* sums) {
  for (int64_t j = 0; j < padded; j += 16) {
    __m256 low = _mm256_loadu_ps(sums + j);
    __m256 high = _mm256_loadu_ps(sums + j + 8);
    const float* score = scores + j;
    for (int64_t i = 0; i < count; ++i, score += kKeyBlock) {
      const __m256 shift = _mm256_set1_ps(lse[i]);
      low = _mm256_add_ps(low, exp8(_mm256_sub_ps(_mm256_loadu_ps(score), shift)));
      high = _mm256_add_ps(high, exp8(_mm256_sub_ps(_mm256_loadu_ps(score + 8), shift)));
    }
    _mm256_storeu_ps(sums + j, low);
    _mm256_storeu_ps(sums + j + 8, high);
  }
}

at::Tensor column_sum_cpu(const at::Tensor& q_in,
                          const at::Tensor& lse_in,
                          const at::Tensor& history_keys,
                          c10::IntArrayRef begin,
                          c10::IntArrayRef length,
                          const at::Tensor& k_in,
                          double softmax_scale,
                          bool causal) {
  const at::Tensor q = with_adjacent_channels(q_in);
  const at::Tensor k = with_adjacent_channels(k_in);
  const at::Tensor lse = lse_in.contiguous();
  const int64_t heads = k.size(1);
  const int64_t group = q.size(1) / std::max<int64_t>(1, heads);
  const int64_t queries = q.size(2);
  const int64_t all_queries = group * queries;  // of a slot: those of one query head, of the next
  const int64_t depth = q.size(3);
  const std::vector<int64_t> offsets = column_offsets(length, k.size(2));
  at::Tensor result = at::empty({offsets.back()}, q.options().dtype(at::kFloat));
  auto* out = result.mutable_data_ptr<float>();
  const auto* lse_data = lse.const_data_ptr<float>();

  const std::vector<KeyBlock> blocks = key_blocks(history_keys, begin, length, k, kKeyBlock);
  const int64_t grain =
      std::max<int64_t>(1, kOperationsPerThread / std::max<int64_t>(1, all_queries * depth * 256));
  at::parallel_for(0, static_cast<int64_t>(blocks.size()), grain, [&](int64_t first, int64_t last) {
    const int64_t query_block = std::min(kQueryBlock, all_queries);
    const Scratch panels(kKeyBlock * depth);
    const Scratch scaled(query_block * depth);
    const Scratch scores(query_block * kKeyBlock);
    const Scratch sums(kKeyBlock);
    const BlockScores products(all_queries, depth, kKeyBlock);
    for (int64_t task = first; task < last; ++task) {
      const KeyBlock& block = blocks[task];
      const int64_t padded = round_to_panel(block.count);
      const int64_t slot = block.row * heads + block.head;
      products.pack(block, panels.data());
      std::fill_n(sums.data(), padded, 0.0F);
      for (int64_t query = 0; query < all_queries; query += query_block) {
        const int64_t count = std::min(query_block, all_queries - query);
        const bool one_head = query / queries == (query + count - 1) / queries;
        const int64_t latest = one_head ? (query + count - 1) % queries : queries - 1;
        if (causal && first_hidden(block, latest) == 0) continue;
        for (int64_t i = 0; i < count;) {  // the part of each query head
          const int64_t head = block.head * group + (query + i) / queries;
          const int64_t begins_at = (query + i) % queries;
          const int64_t part = std::min(count - i, queries - begins_at);
          widen_rows(rows_of(q, block.row, head).from(begins_at), part, depth,
                     static_cast<float>(softmax_scale), scaled.data() + i * depth);
          i += part;
        }
        products.multiply(block, panels.data(), scaled.data(), count, scores.data());
        for (int64_t i = 0; causal && i < count; ++i) {
          hide_later_keys(block, (query + i) % queries, scores.data() + i * kKeyBlock);
        }
        add_columns(scores.data(), count, padded, lse_data + slot * all_queries + query,
                    sums.data());
      }
      std::copy_n(sums.data(), block.count, out + offsets[slot] + block.column);
    }
  });
  return result;
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "column_sum(Tensor q, Tensor lse, Tensor history_keys, int[] begin, int[] length, Tensor k, "
      "float softmax_scale, bool causal) -> Tensor");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("column_sum", &column_sum_cpu);
}

}  // namespace

at::Tensor column_sum(const at::Tensor& q,
                      const at::Tensor& lse,
                      const RaggedRows& history,
                      const at::Tensor& k,
                      double softmax_scale,
                      bool causal) {
  check_ragged({.op = "column_sum",
                .q = q,
                .history_keys = history.keys,
                .history_values = at::Tensor(),
                .begin = as_array(history.begin),
                .length = as_array(history.length),
                .k = k,
                .v = at::Tensor()});
  check_lse("column_sum", lse, q);
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::column_sum", "")
                             .typed<decltype(column_sum_cpu)>();
  return op.call(q, lse, history.keys, as_array(history.begin), as_array(history.length), k,
                 softmax_scale, causal);
}

}  // namespace kvscope
