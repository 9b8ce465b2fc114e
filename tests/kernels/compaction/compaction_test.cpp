#include "kernels/compaction/compaction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "tests/support/ops_on_test_device.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

/// The arena after random selections from ragged slots against selection from a copy.
void expect_selection(std::vector<int64_t> (*arrange)(std::vector<int64_t>)) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    RaggedCase c{.rows = 2, .heads = 2, .queries = 1, .tokens = 9, .head_dim = 5};
    c.value_type = trial % 2 == 0 ? at::kFloat : at::kBFloat16;
    for (int slot = 0; slot < 4; ++slot) c.length.push_back(static_cast<int64_t>(random() % 40));
    c.fill(trial);
    const double keep_ratio = 0.05 + 0.95 * static_cast<double>(random() % 100) / 99.0;
    std::vector<int64_t> kept, kept_begin{0};
    std::vector<at::Tensor> expected_keys, expected_values;
    for (int64_t slot = 0; slot < 4; ++slot) {
      std::vector<int64_t> indices;
      for (int64_t i = 0; i < c.length[slot] + c.tokens; ++i) {
        if (static_cast<double>(random() % 1000) < 1000 * keep_ratio) indices.push_back(i);
      }
      indices = arrange(std::move(indices));
      const at::Tensor index = at::tensor(indices, at::kLong);
      expected_keys.push_back(c.all_keys(slot).index_select(0, index));
      expected_values.push_back(c.all_values(slot).index_select(0, index));
      kept.insert(kept.end(), indices.begin(), indices.end());
      kept_begin.push_back(static_cast<int64_t>(kept.size()));
    }
    on_test_device::compact_rows(c.history(), c.k, c.v, kept, kept_begin);
    for (int64_t slot = 0; slot < 4; ++slot) {
      const int64_t count = kept_begin[slot + 1] - kept_begin[slot];
      EXPECT_EQ(
          largest_difference(c.arena_keys.narrow(0, c.begin[slot], count), expected_keys[slot]), 0);
      EXPECT_EQ(
          largest_difference(c.arena_values.narrow(0, c.begin[slot], count), expected_values[slot]),
          0);
      EXPECT_TRUE(c.arena_keys[c.begin[slot] - 1].isnan().all().item<bool>()) << "guard row";
    }
  }
}

TEST(Compaction, KeepsOrderInPlaceForRandomSubsets) {
  expect_selection([](std::vector<int64_t> kept) { return kept; });
}

TEST(Compaction, FillsHolesInPlaceForRandomSubsets) {
  expect_selection(with_holes_filled);
}

TEST(Compaction, AppendWritesBehindEachHistoryAndConverts) {
  for (const auto arena_type : {at::kFloat, at::kBFloat16}) {
    for (const auto current_type : {at::kFloat, at::kBFloat16}) {
      RaggedCase c{.tokens = 4};
      c.length = {0, 5, 1, 9, 2, 0};
      c.fill();
      c.arena_keys = c.arena_keys.to(arena_type);
      c.k = c.k.to(current_type);
      on_test_device::append_rows(c.history(), c.k, c.v);
      for (int64_t slot = 0; slot < 6; ++slot) {
        const at::Tensor written = c.arena_keys.narrow(0, c.begin[slot] + c.length[slot], c.tokens);
        const at::Tensor expected = c.k[slot / c.heads][slot % c.heads].to(arena_type);
        EXPECT_TRUE(at::equal(written, expected));
        EXPECT_TRUE(at::equal(c.arena_values.narrow(0, c.begin[slot] + c.length[slot], c.tokens),
                              c.v[slot / c.heads][slot % c.heads]));
      }
    }
  }
}

}  // namespace
}  // namespace kvscope
