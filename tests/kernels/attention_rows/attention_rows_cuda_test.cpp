// The CUDA kernel of attention rows, run on CPU threads, against the CPU op, which has an oracle of
// its own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/attention/attention.h"
#include "kernels/attention_rows/attention_rows.cuh"
#include "kernels/attention_rows/attention_rows.h"
#include "kernels/ragged/checks.h"
#include "tests/support/cuda_case.h"

namespace kvscope {
namespace {

TEST(AttentionRowsCuda, RowsMatchTheCpu) {
  for (const RaggedCase& c : emulated_cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const at::Tensor lse =
          ragged_attention(c.q, c.history(), c.k, c.v, kEmulatedScale, causal).lse;
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
      EXPECT_LT(largest_difference(
                    emulated(lse.data_ptr<float>()),
                    attention_rows(c.q, lse, c.history(), c.k, kEmulatedScale, indices, causal)),
                1e-4);
      EXPECT_LT(largest_difference(
                    emulated(nullptr).sigmoid(),
                    score_rows(c.q, c.history(), c.k, kEmulatedScale, indices, causal).sigmoid()),
                1e-4);
    }
  }
}

}  // namespace
}  // namespace kvscope

#else

TEST(AttentionRowsCuda, MatchesTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
