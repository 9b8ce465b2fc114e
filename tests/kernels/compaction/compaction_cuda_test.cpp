// The CUDA kernels of append and compaction, run on CPU threads, against the CPU op, which has an
// oracle of its own.
#include <gtest/gtest.h>

#if __has_include(<cuda_runtime_api.h>)

#include <ATen/ATen.h>

#include "tests/support/cuda_emulation.h"
// The emulation comes first: the kernels use its threadIdx.
#include "kernels/compaction/compaction.cuh"
#include "kernels/compaction/compaction.h"
#include "tests/support/cuda_case.h"

namespace kvscope {
namespace {

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

TEST(CompactionCuda, AppendMatchesTheCpu) {
  for (const RaggedCase& c : emulated_cases()) {
    at::Tensor keys = c.arena_keys.clone();
    const CompactionArguments arguments = compaction_arguments(c, keys, c.k);
    const dim3 grid(static_cast<unsigned>((c.tokens + kAppendTile - 1) / kAppendTile),
                    static_cast<unsigned>(c.heads), static_cast<unsigned>(c.rows));
    emulate(grid, kCompactionThreads, [&] { append_kernel(arguments); });
    append_rows(c.history(), c.k, c.v);
    expect_same_arena(keys, c.arena_keys);
  }
}

/// Every slot's selection, ordered or hole filling, on both sides.
void expect_same_compaction(bool fills_holes) {
  for (const RaggedCase& c : emulated_cases()) {
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

TEST(CompactionCuda, CompactionMatchesTheCpuInOneTileAndInMany) {
  expect_same_compaction(false);
  expect_same_compaction(true);
}

}  // namespace
}  // namespace kvscope

#else

TEST(CompactionCuda, MatchesTheCpu) {
  GTEST_SKIP() << "no CUDA headers on this machine";
}

#endif
