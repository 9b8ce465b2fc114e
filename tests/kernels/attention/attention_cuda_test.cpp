// The CUDA kernel of attention, run on CPU threads, against the CPU op, which has an oracle of its
// own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/attention/attention.cuh"
#include "kernels/attention/attention.h"
#include "kernels/ragged/checks.h"
#include "tests/support/cuda_case.h"

namespace kvscope {
namespace {

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
                                     .softmax_scale = static_cast<float>(kEmulatedScale),
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

TEST(AttentionCuda, MatchesTheCpu) {
  for (const RaggedCase& c : emulated_cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const AttentionResult got = emulated_attention(c, causal);
      const AttentionResult expected =
          ragged_attention(c.q, c.history(), c.k, c.v, kEmulatedScale, causal);
      EXPECT_LT(largest_difference(got.out, expected.out), 1e-4);
      EXPECT_LT(largest_difference(got.lse, expected.lse), 1e-4);
    }
  }
}

TEST(AttentionCuda, AQueryThatSeesNothingGetsZeros) {
  RaggedCase c{.rows = 1, .heads = 2, .queries = 3, .tokens = 0, .length = {0, 5}};
  c.fill();
  const AttentionResult got = emulated_attention(c, false);
  EXPECT_EQ(got.out[0][0].abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(got.lse[0][0].isneginf().all().item<bool>());
  EXPECT_TRUE(got.lse[0][1].isfinite().all().item<bool>());
}

TEST(AttentionCuda, NanComesThrough) {
  RaggedCase c{.rows = 1, .heads = 1, .queries = 3, .tokens = 3, .length = {5}};
  c.fill();
  c.q[0][0][1].fill_(NAN);
  const AttentionResult got = emulated_attention(c, false);
  EXPECT_TRUE(got.out[0][0][1].isnan().all().item<bool>());
  EXPECT_TRUE(got.lse[0][0][1].isnan().item<bool>());
  EXPECT_FALSE(got.out[0][0][0].isnan().any().item<bool>());
}

}  // namespace
}  // namespace kvscope

#else

TEST(AttentionCuda, MatchesTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
