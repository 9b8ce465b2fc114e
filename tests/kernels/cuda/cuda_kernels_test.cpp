// The CUDA kernels' bodies, run on CPU threads, against the CPU ops, which have oracles of their
// own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/attention/attention.cuh"
#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.cuh"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/column_sum/column_sum.cuh"
#include "kernels/column_sum/column_sum.h"
#include "kernels/compaction/compaction.cuh"
#include "kernels/compaction/compaction.h"
#include "kernels/quantise/quantise.cuh"
#include "kernels/quantise/quantise.h"
#include "kernels/ragged/checks.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

constexpr double kScale = 0.2;

DeviceStep device_step(const at::Tensor& tensor) {
  return {tensor.data_ptr(),
          tensor.stride(0),
          tensor.stride(1),
          {nullptr, tensor.stride(2), tensor.stride(3), tensor.scalar_type() == at::kBFloat16}};
}

DeviceRows device_arena(const at::Tensor& arena) {
  return {arena.data_ptr(), arena.size(1), 1, arena.scalar_type() == at::kBFloat16};
}

AttentionResult emulated_attention(const RaggedCase& c, bool causal) {
  at::Tensor out = at::full({c.rows, c.queries, c.heads * c.group, c.head_dim}, NAN, c.q.options());
  at::Tensor lse = at::full({c.rows, c.heads * c.group, c.queries}, NAN);
  const AttentionArguments arguments{.q = device_step(c.q),
                                     .k = device_step(c.k),
                                     .v = device_step(c.v),
                                     .history_keys = device_arena(c.arena_keys),
                                     .history_values = device_arena(c.arena_values),
                                     .begin = c.begin.data(),
                                     .length = c.length.data(),
                                     .rows = c.rows,
                                     .heads = c.heads,
                                     .group = c.group,
                                     .queries = c.queries,
                                     .tokens = c.tokens,
                                     .head_dim = static_cast<int>(c.head_dim),
                                     .softmax_scale = static_cast<float>(kScale),
                                     .causal = causal,
                                     .out = out.data_ptr(),
                                     .lse = lse.data_ptr<float>()};
  EXPECT_LE(attention_shared_bytes(arguments.head_dim), sizeof(shared));
  const dim3 grid(static_cast<unsigned>((c.queries + kAttentionTile - 1) / kAttentionTile),
                  static_cast<unsigned>(c.heads * c.group), static_cast<unsigned>(c.rows));
  emulate(grid, kAttentionThreads, [&] {
    if (c.head_dim <= 64) {
      attention_kernel<16>(arguments);
    } else if (c.head_dim <= 128) {
      attention_kernel<32>(arguments);
    } else {
      attention_kernel<64>(arguments);
    }
  });
  return {.out = out.transpose(1, 2), .lse = lse};
}

KeyArguments key_arguments(const RaggedCase& c,
                           const std::vector<int64_t>& offsets,
                           const float* lse,
                           bool causal) {
  return {.q = device_step(c.q),
          .k = device_step(c.k),
          .history_keys = device_arena(c.arena_keys),
          .lse = lse,
          .begin = c.begin.data(),
          .length = c.length.data(),
          .column_offsets = offsets.data(),
          .rows = c.rows,
          .heads = c.heads,
          .group = c.group,
          .queries = c.queries,
          .tokens = c.tokens,
          .most_columns = *std::max_element(c.length.begin(), c.length.end()) + c.tokens,
          .head_dim = static_cast<int>(c.head_dim),
          .softmax_scale = static_cast<float>(kScale),
          .causal = causal};
}

/// Empty, single, tile-sized and longer histories; spiky keys; every mixture of types and masks;
/// groups of query heads.
std::vector<RaggedCase> cases() {
  std::vector<RaggedCase> all;
  for (const int64_t head_dim : {17, 128, 200}) {
    for (const auto& [queries, tokens] : {std::pair<int64_t, int64_t>{1, 1}, {7, 45}, {33, 33}}) {
      RaggedCase c{.rows = 2,
                   .heads = 2,
                   .queries = queries,
                   .tokens = tokens,
                   .head_dim = head_dim,
                   .length = {0, 77, 1, 32},
                   .spike = 3};
      c.key_type = head_dim == 128 ? at::kBFloat16 : at::kFloat;
      c.fill();
      all.push_back(c);
    }
  }
  for (const auto& [group, queries] : {std::pair<int64_t, int64_t>{2, 7}, {4, 1}, {4, 33}}) {
    RaggedCase c{.rows = 2,
                 .heads = 2,
                 .group = group,
                 .queries = queries,
                 .tokens = queries,
                 .head_dim = 24,
                 .length = {0, 40, 1, 32},
                 .spike = 3};
    c.fill();
    all.push_back(c);
  }
  return all;
}

TEST(CudaKernels, AttentionMatchesTheCpu) {
  for (const RaggedCase& c : cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const AttentionResult got = emulated_attention(c, causal);
      const AttentionResult expected = ragged_attention(c.q, c.history(), c.k, c.v, kScale, causal);
      EXPECT_LT(largest_difference(got.out, expected.out), 1e-4);
      EXPECT_LT(largest_difference(got.lse, expected.lse), 1e-4);
    }
  }
}

TEST(CudaKernels, AQueryThatSeesNothingGetsZeros) {
  RaggedCase c{.rows = 1, .heads = 2, .queries = 3, .tokens = 0, .length = {0, 5}};
  c.fill();
  const AttentionResult got = emulated_attention(c, false);
  EXPECT_EQ(got.out[0][0].abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(got.lse[0][0].isneginf().all().item<bool>());
  EXPECT_TRUE(got.lse[0][1].isfinite().all().item<bool>());
}

TEST(CudaKernels, NanComesThrough) {
  RaggedCase c{.rows = 1, .heads = 1, .queries = 3, .tokens = 3, .length = {5}};
  c.fill();
  c.q[0][0][1].fill_(NAN);
  const AttentionResult got = emulated_attention(c, false);
  EXPECT_TRUE(got.out[0][0][1].isnan().all().item<bool>());
  EXPECT_TRUE(got.lse[0][0][1].isnan().item<bool>());
  EXPECT_FALSE(got.out[0][0][0].isnan().any().item<bool>());
}

TEST(CudaKernels, ColumnSumMatchesTheCpu) {
  for (const RaggedCase& c : cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const at::Tensor lse = ragged_attention(c.q, c.history(), c.k, c.v, kScale, causal).lse;
      const std::vector<int64_t> offsets = column_offsets(c.length, c.tokens);
      const KeyArguments arguments = key_arguments(c, offsets, lse.data_ptr<float>(), causal);
      at::Tensor got = at::full({offsets.back()}, NAN);
      emulate(key_tile_grid(arguments), kKeyThreads,
              [&] { column_sum_kernel(arguments, got.data_ptr<float>()); });
      const at::Tensor expected = column_sum(c.q, lse, c.history(), c.k, kScale, causal);
      EXPECT_LT(largest_difference(got, expected), 1e-4);
    }
  }
}

TEST(CudaKernels, AttentionRowsMatchTheCpu) {
  for (const RaggedCase& c : cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const at::Tensor lse = ragged_attention(c.q, c.history(), c.k, c.v, kScale, causal).lse;
      const std::vector<int64_t> offsets = column_offsets(c.length, c.tokens);
      const std::vector<int64_t> indices = {c.queries - 1, 0, c.queries / 2};
      const auto emulated = [&](const float* lse_data) {
        const KeyArguments arguments = key_arguments(c, offsets, lse_data, causal);
        at::Tensor out = at::full({c.group * 3 * offsets.back()}, NAN);
        emulate(key_tile_grid(arguments), kKeyThreads, [&] {
          attention_rows_kernel(arguments, indices.data(), 3, out.data_ptr<float>());
        });
        return out;
      };
      EXPECT_LT(
          largest_difference(emulated(lse.data_ptr<float>()),
                             attention_rows(c.q, lse, c.history(), c.k, kScale, indices, causal)),
          1e-4);
      EXPECT_LT(
          largest_difference(emulated(nullptr).sigmoid(),
                             score_rows(c.q, c.history(), c.k, kScale, indices, causal).sigmoid()),
          1e-4);
    }
  }
}

/// Bit patterns, so that NaN poison compares too.
void expect_same_arena(const at::Tensor& got, const at::Tensor& expected) {
  const at::ScalarType bits = got.element_size() == 2 ? at::kShort : at::kInt;
  EXPECT_TRUE(at::equal(got.view(bits), expected.view(bits)));
}

CompactionArguments compaction_arguments(const RaggedCase& c,
                                         const at::Tensor& arena,
                                         const at::Tensor& step) {
  return {.step = device_step(step),
          .arena = device_arena(arena),
          .begin = c.begin.data(),
          .length = c.length.data(),
          .rows = c.rows,
          .heads = c.heads,
          .tokens = c.tokens,
          .head_dim = c.head_dim};
}

TEST(CudaKernels, AppendMatchesTheCpu) {
  for (const RaggedCase& c : cases()) {
    at::Tensor keys = c.arena_keys.clone();
    const CompactionArguments arguments = compaction_arguments(c, keys, c.k);
    const dim3 grid(static_cast<unsigned>((c.tokens + kAppendTile - 1) / kAppendTile),
                    static_cast<unsigned>(c.heads), static_cast<unsigned>(c.rows));
    emulate(grid, kCompactionThreads, [&] { append_kernel(arguments); });
    append_rows(c.history(), c.k, c.v);
    expect_same_arena(keys, c.arena_keys);
  }
}

/// Every slot's cut, ordered or hole filling, on both sides.
void expect_same_compaction(bool fills_holes) {
  for (const RaggedCase& c : cases()) {
    std::vector<int64_t> kept;
    std::vector<int64_t> kept_begin{0};
    for (const int64_t length : c.length) {
      std::vector<int64_t> of_slot;
      for (int64_t j = 0; j < length + c.tokens; ++j) {
        if (j % 3 != 0 || j % 7 == 0) of_slot.push_back(j);
      }
      if (fills_holes) of_slot = with_holes_filled(std::move(of_slot));
      kept.insert(kept.end(), of_slot.begin(), of_slot.end());
      kept_begin.push_back(static_cast<int64_t>(kept.size()));
    }
    const at::Tensor keys_before = c.arena_keys.clone();
    compact_rows(c.history(), c.k, c.v, kept, kept_begin);
    for (const int tile_rows : {7, staged_rows(c.head_dim)}) {
      at::Tensor keys = keys_before.clone();
      const CompactionArguments arguments = compaction_arguments(c, keys, c.k);
      emulate(dim3(1, static_cast<unsigned>(c.heads), static_cast<unsigned>(c.rows)),
              kCompactionThreads,
              [&] { compact_kernel(arguments, kept.data(), kept_begin.data(), tile_rows); });
      expect_same_arena(keys, c.arena_keys);
    }
  }
}

TEST(CudaKernels, CompactionMatchesTheCpuInOneTileAndInMany) {
  expect_same_compaction(false);
  expect_same_compaction(true);
}

DeviceLines device_lines(const at::Tensor& tensor) {
  return {tensor.data_ptr(), tensor.stride(0), tensor.stride(1), tensor.stride(2),
          tensor.scalar_type() == at::kFloat      ? DeviceNumber::kFloat
          : tensor.scalar_type() == at::kBFloat16 ? DeviceNumber::kBFloat16
                                                  : DeviceNumber::kHalf};
}

PackedLines empty_lines(const at::Tensor& x, int64_t bits, int64_t group) {
  const int64_t groups = group_count(x.size(2), group);
  return {.codes = at::zeros({x.size(0), x.size(1), code_words(x.size(2), bits)}, at::kInt),
          .scale = at::zeros({x.size(0), x.size(1), groups}, x.options()),
          .minimum = at::zeros({x.size(0), x.size(1), groups}, x.options()),
          .bits = bits,
          .group = group};
}

TEST(CudaKernels, QuantiseAndBackMatchTheCpuBitForBit) {
  const std::vector<int64_t> source{4, 0, 3};
  const std::vector<int64_t> target{1, 2, 0};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const auto& [bits, group] :
         {std::pair<int64_t, int64_t>{2, 16}, {4, 7}, {8, 32}, {2, 45}}) {
      for (const bool side_by_side : {false, true}) {
        at::Tensor x = at::randn({5, 45, 3});  // keys: channels adjacent
        x = (side_by_side ? x.transpose(1, 2) : x.transpose(1, 2).contiguous()).to(type);
        x[3][1].fill_(0.7);
        x[0][2][7] = NAN;
        const PackedLines expected = empty_lines(x, bits, group);
        const at::Tensor finite = quantise(x, source, expected, target);
        const PackedLines got = empty_lines(x, bits, group);
        at::Tensor got_finite = at::ones({3}, at::kBool);
        QuantiseArguments arguments{.x = device_lines(x),
                                    .codes = device_lines(got.codes),
                                    .scale = device_lines(got.scale),
                                    .minimum = device_lines(got.minimum),
                                    .source = source.data(),
                                    .target = target.data(),
                                    .items = 3,
                                    .lanes = x.size(1),
                                    .elements = x.size(2),
                                    .group = group,
                                    .bits = static_cast<int>(bits)};
        emulate(dim3(quantise_blocks(arguments)), kQuantiseThreads,
                [&] { quantise_kernel(arguments, got_finite.data_ptr<bool>()); });
        EXPECT_TRUE(at::equal(got_finite, finite));
        EXPECT_TRUE(at::equal(finite, at::tensor({1, 0, 1}, at::kInt).to(at::kBool)));
        // The line with NaN aside, whose minimum nobody reads.
        const at::Tensor read = at::tensor({0, 1}, at::kLong);
        EXPECT_TRUE(at::equal(got.codes, expected.codes));
        EXPECT_TRUE(
            at::equal(got.scale.index_select(0, read), expected.scale.index_select(0, read)));
        EXPECT_TRUE(
            at::equal(got.minimum.index_select(0, read), expected.minimum.index_select(0, read)));

        const at::Tensor back = at::zeros_like(x);
        const at::Tensor expected_back = at::zeros_like(x);
        arguments.x = device_lines(back);
        arguments.codes = device_lines(expected.codes);
        arguments.scale = device_lines(expected.scale);
        arguments.minimum = device_lines(expected.minimum);
        arguments.source = target.data();
        arguments.target = source.data();
        emulate(dim3(quantise_blocks(arguments)), kQuantiseThreads,
                [&] { dequantise_kernel(arguments); });
        dequantise(expected, target, expected_back, source);
        EXPECT_TRUE(at::equal(back.nan_to_num(), expected_back.nan_to_num()));
      }
    }
  }
}

}  // namespace
}  // namespace kvscope

#else

TEST(CudaKernels, MatchTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
