// The CUDA kernel of column sums, run on CPU threads, against the CPU op, which has an oracle of
// its own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/attention/attention.h"
#include "kernels/column_sum/column_sum.cuh"
#include "kernels/column_sum/column_sum.h"
#include "kernels/ragged/checks.h"
#include "tests/support/cuda_case.h"

namespace kvscope {
namespace {

TEST(ColumnSumCuda, MatchesTheCpu) {
  for (const RaggedCase& c : emulated_cases()) {
    for (const bool causal : {false, true}) {
      if (causal && c.queries != c.tokens) continue;
      const at::Tensor lse =
          ragged_attention(c.q, c.history(), c.k, c.v, kEmulatedScale, causal).lse;
      const std::vector<int64_t> offsets = column_offsets(c.length, c.tokens);
      const KeyArguments arguments = key_arguments(c, offsets, lse.data_ptr<float>(), causal);
      at::Tensor got = at::full({offsets.back()}, NAN);
      emulate(key_tile_grid(arguments), kKeyThreads,
              [&] { column_sum_kernel(arguments, got.data_ptr<float>()); });
      const at::Tensor expected = column_sum(c.q, lse, c.history(), c.k, kEmulatedScale, causal);
      EXPECT_LT(largest_difference(got, expected), 1e-4);
    }
  }
}

}  // namespace
}  // namespace kvscope

#else

TEST(ColumnSumCuda, MatchesTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
