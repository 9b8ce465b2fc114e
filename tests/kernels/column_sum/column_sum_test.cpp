#include "kernels/column_sum/column_sum.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "kernels/attention/attention.h"
#include "tests/support/ops_on_test_device.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

void expect_matches_naive(const RaggedCase& c, double scale, bool causal, double tolerance) {
  const at::Tensor lse =
      on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, scale, causal).lse;
  const at::Tensor packed = on_test_device::column_sum(c.q, lse, c.history(), c.k, scale, causal);
  const auto offsets = column_offsets(c.length, c.tokens);
  ASSERT_EQ(packed.numel(), offsets.back());
  for (int64_t slot = 0; slot < c.rows * c.heads; ++slot) {
    at::Tensor expected = at::zeros({c.length[slot] + c.tokens}, at::kDouble);
    for (int64_t g = 0; g < c.group; ++g) {
      expected += at::softmax(c.scores(slot, scale, causal, g), -1).sum(0);
    }
    const at::Tensor got = packed.slice(0, offsets[slot], offsets[slot + 1]);
    EXPECT_LT(largest_difference(got, expected), tolerance) << "slot " << slot;
    const auto queries = static_cast<double>(c.group * c.queries);
    EXPECT_NEAR(got.sum().item<double>(), queries, queries * tolerance)
        << "every query hands out a mass of one";
  }
}

TEST(ColumnSum, MatchesNaiveForOddShapes) {
  for (const int64_t group : {1, 2, 4}) {
    for (const int64_t queries : {1, 2, 7, 77, 200}) {
      RaggedCase c{.group = group, .queries = queries, .tokens = queries};
      c.length = {0, 77, 1, 300, 16, 513};
      c.fill();
      expect_matches_naive(c, 0.2, false, 2e-4);
      expect_matches_naive(c, 0.2, true, 2e-4);
    }
  }
}

TEST(ColumnSum, QueriesAndCurrentTokensMayDiffer) {
  RaggedCase c{.queries = 5, .tokens = 270, .head_dim = 17};
  c.length = {0, 77, 1, 300, 16, 513};
  c.fill();
  expect_matches_naive(c, 0.2, false, 2e-5);
}

TEST(ColumnSum, SpikyKeysAndNarrowTypes) {
  RaggedCase c{.queries = 50, .tokens = 50, .spike = 20};
  c.length = {0, 77, 1, 300, 16, 513};
  c.key_type = at::kBFloat16;
  c.fill();
  expect_matches_naive(c, 0.5, false, 2e-3);
}

TEST(ColumnSum, WrongLseIsNamed) {
  RaggedCase c;
  c.fill();
  EXPECT_THROW(on_test_device::column_sum(c.q, at::zeros({2, 3, 6}), c.history(), c.k, 1.0),
               c10::Error);
}

}  // namespace
}  // namespace kvscope
