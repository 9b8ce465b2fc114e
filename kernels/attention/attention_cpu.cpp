#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "kernels/attention/attention.h"
#include "kernels/ragged/checks.h"
#include "kernels/tile/exp.h"
#include "kernels/tile/tile.h"

namespace kvscope {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr int64_t kKeyBlock = 256;
// A multiple of the register tile's six rows. Scores [96, 256], panels [256, 128] and sums [96,
// 128] together take 272 KiB, within a second-level cache of 512 KiB.
constexpr int64_t kQueryBlock = 96;
// Floating-point operations below which a second thread costs more than it brings.
constexpr int64_t kOperationsPerThread = 400'000;

/// Keys and values of one part; `visible` < 0 where every query sees all of it, else query i of the
/// block sees keys 0 .. visible + i.
struct Part {
  RowSource keys;
  RowSource values;
  int64_t tokens = 0;
  int64_t visible = -1;
};

/// One block of queries with its online softmax: running maximum, sum of exp(s - maximum) and
/// sum of exp(s - maximum) v. The state is an associative monoid, so parts are simply fed in turn.
class QueryBlock {
 public:
  QueryBlock(int64_t most_queries, int64_t most_keys, int64_t head_dim)
      : depth_(head_dim),
        width_(round_to_panel(head_dim)),
        key_block_(std::min(kKeyBlock, round_to_panel(most_keys))),
        queries_(most_queries * depth_),
        sums_(most_queries * width_),
        scores_(most_queries * key_block_),
        panels_(key_block_ * width_),
        state_(2 * most_queries) {
    maximum_ = state_.data();
    total_ = state_.data() + most_queries;
  }

  void begin(const RowSource& q, int64_t count, float softmax_scale) {
    count_ = count;
    widen_rows(q, count, depth_, softmax_scale, queries_.data());
    std::fill_n(sums_.data(), count * width_, 0.0F);
    std::fill_n(maximum_, count, kMinusInfinity);
    std::fill_n(total_, count, 0.0F);
  }

  void attend(const Part& part) {
    int64_t tokens = part.tokens;
    if (part.visible >= 0) tokens = std::min(tokens, part.visible + count_);
    for (int64_t j = 0; j < tokens; j += key_block_) {
      const int64_t keys = std::min(key_block_, tokens - j);
      const int64_t padded = round_to_panel(keys);
      score(part.keys.from(j), keys, padded);
      hide(part.visible - j, part.visible >= 0, keys, padded);
      soften(padded);
      accumulate(part.values.from(j), keys);
    }
  }

  /// Writes row i to out + i * stride and lse[i].
  template <typename Element>
  void finish(Element* out, int64_t stride, float* lse) const {
    for (int64_t i = 0; i < count_; ++i) {
      const float* sum = sums_.data() + i * width_;
      const bool empty = total_[i] == 0.0F;
      const float inverse = empty ? 0.0F : 1.0F / total_[i];
      for (int64_t d = 0; d < depth_; ++d) {
        out[i * stride + d] = static_cast<Element>(sum[d] * inverse);
      }
      lse[i] = empty ? kMinusInfinity : maximum_[i] + std::log(total_[i]);
    }
  }

 private:
  void score(const RowSource& keys, int64_t count, int64_t padded) {
    if (count_ <= kFewQueries) {
      multiply_few(queries_.data(), count_, keys, count, depth_, scores_.data(), key_block_);
      return;
    }
    pack_transposed(keys, count, depth_, panels_.data());
    multiply_panels(queries_.data(), depth_, count_, panels_.data(), depth_, padded, scores_.data(),
                    key_block_, false);
  }

  /// Sets what a query does not see to -inf: the panel's padding and, when causal, later tokens.
  void hide(int64_t last_of_first_query, bool causal, int64_t keys, int64_t padded) {
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t seen =
          causal ? std::clamp<int64_t>(last_of_first_query + i + 1, 0, keys) : keys;
      float* row = scores_.data() + i * key_block_;
      std::fill(row + seen, row + padded, kMinusInfinity);
    }
  }

  void soften(int64_t padded) {
    for (int64_t i = 0; i < count_; ++i) {
      float* row = scores_.data() + i * key_block_;
      __m256 most = _mm256_set1_ps(kMinusInfinity);
      for (int64_t j = 0; j < padded; j += 8) {
        most = _mm256_max_ps(most, _mm256_loadu_ps(row + j));
      }
      const float block_maximum = horizontal_max(most);
      const float maximum = block_maximum < maximum_[i] ? maximum_[i] : block_maximum;
      if (maximum != maximum_[i]) {
        const float shrink = std::exp(maximum_[i] - maximum);
        total_[i] *= shrink;
        float* sum = sums_.data() + i * width_;
        const __m256 factor = _mm256_set1_ps(shrink);
        for (int64_t d = 0; d < width_; d += 8) {
          _mm256_storeu_ps(sum + d, _mm256_mul_ps(_mm256_loadu_ps(sum + d), factor));
        }
        maximum_[i] = maximum;
      }
      // Nothing seen yet: any finite shift turns -inf into 0, where -inf - (-inf) would be NaN.
      const __m256 shift = _mm256_set1_ps(maximum == kMinusInfinity ? 0.0F : maximum);
      __m256 even = _mm256_setzero_ps();
      __m256 odd = _mm256_setzero_ps();
      for (int64_t j = 0; j < padded; j += 16) {  // two independent chains hide the latency
        const __m256 first = exp8(_mm256_sub_ps(_mm256_loadu_ps(row + j), shift));
        const __m256 second = exp8(_mm256_sub_ps(_mm256_loadu_ps(row + j + 8), shift));
        _mm256_storeu_ps(row + j, first);
        _mm256_storeu_ps(row + j + 8, second);
        even = _mm256_add_ps(even, first);
        odd = _mm256_add_ps(odd, second);
      }
      total_[i] += horizontal_sum(_mm256_add_ps(even, odd));
    }
  }

  void accumulate(const RowSource& values, int64_t count) {
    if (count_ <= kFewQueries) {
      accumulate_few(scores_.data(), count_, key_block_, values, count, depth_, sums_.data(),
                     width_);
      return;
    }
    pack_rows(values, count, depth_, panels_.data());
    multiply_panels(scores_.data(), key_block_, count_, panels_.data(), count, width_, sums_.data(),
                    width_, true);
  }

  int64_t depth_;
  int64_t width_;      // depth_ rounded up to whole panels
  int64_t key_block_;  // keys of one pass
  int64_t count_ = 0;  // queries of this block
  Scratch queries_;    // [queries, depth], scaled
  Scratch sums_;       // [queries, width]
  Scratch scores_;     // [queries, key_block]
  Scratch panels_;     // of K, then of V
  Scratch state_;
  float* maximum_ = nullptr;  // [queries]
  float* total_ = nullptr;    // [queries]
};

// Cost, per key/value head with N = history + current tokens, Q queries, D channels: 4 Q N D
// operations and Q N exponentials, half of the current part's where causal. Traffic: a task is one
// query head and up to 96 of its queries, and reads K and V of its slot once, so memory sees
// 2 N D elements per task - all of them once for a token step, ceil(Q / 96) times per query head
// for a scale - and Q, the output and the log-sum-exps once. No scores leave a task's scratch
// (272 KiB): up to kFewQueries (3) queries multiply rows where they lie; more pack K and V into
// panels, a copy of each block that stays in the second-level cache.
std::tuple<at::Tensor, at::Tensor> attention_cpu(const at::Tensor& q_in,
                                                 const at::Tensor& history_keys,
                                                 const at::Tensor& history_values,
                                                 c10::IntArrayRef begin,
                                                 c10::IntArrayRef length,
                                                 const at::Tensor& k_in,
                                                 const at::Tensor& v_in,
                                                 double softmax_scale,
                                                 bool causal) {
  const at::Tensor q = with_adjacent_channels(q_in);
  const at::Tensor k = with_adjacent_channels(k_in);
  const at::Tensor v = with_adjacent_channels(v_in);
  const int64_t rows = q.size(0);
  const int64_t heads = q.size(1);  // of the queries
  const int64_t group = heads / std::max<int64_t>(1, k.size(1));
  const int64_t queries = q.size(2);
  const int64_t head_dim = q.size(3);
  const int64_t tokens = k.size(2);

  at::Tensor memory = at::empty({rows, queries, heads, head_dim}, q.options());
  at::Tensor lse = at::empty({rows, heads, queries}, q.options().dtype(at::kFloat));
  auto* lse_data = lse.mutable_data_ptr<float>();
  const bool narrow = q.scalar_type() == at::kBFloat16;
  float* wide_out = narrow ? nullptr : memory.mutable_data_ptr<float>();
  at::BFloat16* narrow_out = narrow ? memory.mutable_data_ptr<at::BFloat16>() : nullptr;

  const int64_t longest = length.empty() ? 0 : *std::max_element(length.begin(), length.end());
  const int64_t query_block = std::min(kQueryBlock, queries);
  const int64_t blocks = queries == 0 ? 0 : (queries + query_block - 1) / query_block;
  const int64_t operations = std::max<int64_t>(1, 4 * query_block * (longest + tokens) * head_dim);
  const int64_t grain = std::max<int64_t>(1, kOperationsPerThread / operations);

  at::parallel_for(0, rows * heads * blocks, grain, [&](int64_t first, int64_t last) {
    QueryBlock block(query_block, std::max(longest, tokens), head_dim);
    for (int64_t task = first; task < last; ++task) {
      const int64_t query_slot = task / blocks;
      const int64_t row = query_slot / heads;
      const int64_t head = query_slot % heads;
      const int64_t key_head = head / group;
      const int64_t slot = row * k.size(1) + key_head;
      const int64_t query = task % blocks * query_block;
      const int64_t count = std::min(query_block, queries - query);
      block.begin(rows_of(q, row, head).from(query), count, static_cast<float>(softmax_scale));
      block.attend({.keys = rows_of(history_keys, begin[slot]),
                    .values = rows_of(history_values, begin[slot]),
                    .tokens = length[slot]});
      block.attend({.keys = rows_of(k, row, key_head),
                    .values = rows_of(v, row, key_head),
                    .tokens = tokens,
                    .visible = causal ? query : -1});
      const int64_t offset = ((row * queries + query) * heads + head) * head_dim;
      float* lse_out = lse_data + query_slot * queries + query;
      if (narrow) {
        block.finish(narrow_out + offset, heads * head_dim, lse_out);
      } else {
        block.finish(wide_out + offset, heads * head_dim, lse_out);
      }
    }
  });
  return {memory.transpose(1, 2), lse};
}

TORCH_LIBRARY_FRAGMENT(kvscope, library) {
  library.def(
      "ragged_attention(Tensor q, Tensor history_keys, Tensor history_values, int[] begin, "
      "int[] length, Tensor k, Tensor v, float softmax_scale, bool causal) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(kvscope, CPU, library) {
  library.impl("ragged_attention", &attention_cpu);
}

}  // namespace

AttentionResult ragged_attention(const at::Tensor& q,
                                 const RaggedRows& history,
                                 const at::Tensor& k,
                                 const at::Tensor& v,
                                 double softmax_scale,
                                 bool causal) {
  check_ragged({.op = "ragged_attention",
                .q = q,
                .history_keys = history.keys,
                .history_values = history.values,
                .begin = as_array(history.begin),
                .length = as_array(history.length),
                .k = k,
                .v = v});
  TORCH_CHECK(!causal || q.size(2) == k.size(2),
              "ragged_attention: causal needs as many current tokens as queries, got ", k.size(2),
              " and ", q.size(2));
  const int64_t group = q.size(1) / std::max<int64_t>(1, k.size(1));
  if (group > 1 && q.size(2) == 1) {
    // The single queries of a group are as many queries of its key/value head, whose keys are then
    // read once for all of them. Causal or not: each sees the one current token there is.
    const at::Tensor of_group = q.view({q.size(0), k.size(1), group, q.size(3)});
    const AttentionResult folded = ragged_attention(of_group, history, k, v, softmax_scale);
    return {.out = folded.out.reshape({q.size(0), 1, q.size(1), q.size(3)}).transpose(1, 2),
            .lse = folded.lse.view({q.size(0), q.size(1), 1})};
  }
  // The dispatcher is asked once: registration happens before main or when the CUDA plug-in loads.
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("kvscope::ragged_attention", "")
                             .typed<decltype(attention_cpu)>();
  auto [out, lse] = op.call(q, history.keys, history.values, as_array(history.begin),
                            as_array(history.length), k, v, softmax_scale, causal);
  return {.out = std::move(out), .lse = std::move(lse)};
}

}  // namespace kvscope
