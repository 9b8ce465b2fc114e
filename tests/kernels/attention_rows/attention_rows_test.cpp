#include "kernels/attention_rows/attention_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "kernels/attention/attention.h"
#include "kernels/column_sum/column_sum.h"
#include "tests/support/ops_on_test_device.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

TEST(AttentionRows, MatchNaiveRowsOfTheWindow) {
  for (const bool causal : {false, true}) {
    RaggedCase c{.queries = 90, .tokens = 90};
    c.length = {0, 77, 1, 300, 16, 513};
    c.fill();
    const std::vector<int64_t> window{89, 0, 3, 4, 40, 41, 88};
    const auto rows = static_cast<int64_t>(window.size());
    const at::Tensor lse =
        on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2, causal).lse;
    const at::Tensor p =
        on_test_device::attention_rows(c.q, lse, c.history(), c.k, 0.2, window, causal);
    const at::Tensor s = on_test_device::score_rows(c.q, c.history(), c.k, 0.2, window, causal);
    const auto offsets = column_offsets(c.length, c.tokens);
    for (int64_t slot = 0; slot < c.rows * c.heads; ++slot) {
      const at::Tensor index = at::tensor(window, at::kLong);
      const at::Tensor scores = c.scores(slot, 0.2, causal).index_select(0, index);
      const at::Tensor got = rows_of_slot(p, offsets, rows, slot);
      EXPECT_LT(largest_difference(got, at::softmax(scores, -1)), 1e-5);
      EXPECT_LT(largest_difference(got.sum(1), at::ones({rows})), 1e-5);
      const at::Tensor got_scores = rows_of_slot(s, offsets, rows, slot);
      EXPECT_TRUE(at::allclose(got_scores.to(at::kDouble), scores, 1e-5, 1e-5));
    }
  }
}

TEST(AttentionRows, AllRowsAddUpToTheColumnSums) {
  RaggedCase c{.rows = 1, .heads = 2, .queries = 33, .tokens = 33, .spike = 10};
  c.length = {5, 290};
  c.value_type = at::kBFloat16;
  c.fill();
  std::vector<int64_t> all(33);
  for (int64_t i = 0; i < 33; ++i) all[i] = i;
  const at::Tensor lse = on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.3).lse;
  const at::Tensor p = on_test_device::attention_rows(c.q, lse, c.history(), c.k, 0.3, all);
  const at::Tensor columns = on_test_device::column_sum(c.q, lse, c.history(), c.k, 0.3);
  const auto offsets = column_offsets(c.length, c.tokens);
  for (int64_t slot = 0; slot < 2; ++slot) {
    EXPECT_LT(largest_difference(rows_of_slot(p, offsets, 33, slot).sum(0),
                                 columns.slice(0, offsets[slot], offsets[slot + 1])),
              1e-5);
  }
}

TEST(AttentionRows, OneAndTwoRowsTakeTheUnpackedPath) {
  RaggedCase c{.queries = 9, .tokens = 9, .head_dim = 13};
  c.length = {0, 77, 1, 300, 16, 513};
  c.fill();
  const at::Tensor lse =
      on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2, true).lse;
  const auto offsets = column_offsets(c.length, c.tokens);
  for (const std::vector<int64_t>& window : {std::vector<int64_t>{4}, {8, 0}}) {
    const auto rows = static_cast<int64_t>(window.size());
    const at::Tensor p =
        on_test_device::attention_rows(c.q, lse, c.history(), c.k, 0.2, window, true);
    for (int64_t slot = 0; slot < c.rows * c.heads; ++slot) {
      const at::Tensor index = at::tensor(window, at::kLong);
      const at::Tensor scores = c.scores(slot, 0.2, true).index_select(0, index);
      EXPECT_LT(largest_difference(rows_of_slot(p, offsets, rows, slot), at::softmax(scores, -1)),
                1e-5);
    }
  }
}

TEST(AttentionRows, AGroupHasTheRowsOfEachOfItsQueryHeads) {
  for (const auto& [group, causal] : {std::pair<int64_t, bool>{2, false}, {4, true}}) {
    RaggedCase c{.group = group, .queries = 20, .tokens = 20, .head_dim = 24};
    c.length = {0, 77, 1, 300, 16, 513};
    c.fill();
    const at::Tensor lse =
        on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2, causal).lse;
    const auto offsets = column_offsets(c.length, c.tokens);
    for (const std::vector<int64_t>& window : {std::vector<int64_t>{19}, {3, 11, 0}}) {
      const auto rows = static_cast<int64_t>(window.size());
      const at::Tensor index = at::tensor(window, at::kLong);
      const at::Tensor p =
          on_test_device::attention_rows(c.q, lse, c.history(), c.k, 0.2, window, causal);
      const at::Tensor s = on_test_device::score_rows(c.q, c.history(), c.k, 0.2, window, causal);
      for (int64_t slot = 0; slot < c.rows * c.heads; ++slot) {
        for (int64_t g = 0; g < group; ++g) {
          const at::Tensor scores = c.scores(slot, 0.2, causal, g).index_select(0, index);
          const auto of_head = [&](const at::Tensor& packed) {
            return rows_of_slot(packed, offsets, group * rows, slot).narrow(0, g * rows, rows);
          };
          EXPECT_LT(largest_difference(of_head(p), at::softmax(scores, -1)), 1e-5);
          EXPECT_TRUE(at::allclose(of_head(s).to(at::kDouble), scores, 1e-5, 1e-5));
        }
      }
    }
  }
}

TEST(AttentionRows, IndexOutsideIsNamed) {
  RaggedCase c;
  c.fill();
  EXPECT_THROW(on_test_device::score_rows(c.q, c.history(), c.k, 1.0, std::vector<int64_t>{7}),
               c10::Error);
}

}  // namespace
}  // namespace kvscope
