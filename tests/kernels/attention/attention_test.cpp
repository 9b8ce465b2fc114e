#include "kernels/attention/attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/ops_on_test_device.h"
#include "tests/support/ragged_case.h"

namespace kvscope {
namespace {

void expect_matches_naive(const RaggedCase& c, double scale, bool causal, double tolerance) {
  const AttentionResult result =
      on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, scale, causal);
  ASSERT_EQ(result.out.sizes(), c.q.sizes());
  ASSERT_EQ(result.out.scalar_type(), c.query_type);
  ASSERT_EQ(result.lse.scalar_type(), at::kFloat);
  for (int64_t query_slot = 0; query_slot < c.rows * c.heads * c.group; ++query_slot) {
    const int64_t slot = query_slot / c.group;
    const at::Tensor scores = c.scores(slot, scale, causal, query_slot % c.group);
    const at::Tensor expected = at::matmul(at::softmax(scores, -1), c.all_values(slot));
    const at::Tensor expected_lse = at::logsumexp(scores, -1);
    const int64_t row = query_slot / (c.heads * c.group);
    const int64_t head = query_slot % (c.heads * c.group);
    EXPECT_LT(largest_difference(result.out[row][head], expected), tolerance) << "slot " << slot;
    EXPECT_LT(largest_difference(result.lse[row][head], expected_lse),
              1e-5 * (1 + expected_lse.abs().max().item<double>()))
        << "slot " << slot;
  }
}

struct Shape {
  int64_t queries, tokens, head_dim;
  int64_t group = 1;
};

class AttentionShapes : public testing::TestWithParam<Shape> {};

TEST_P(AttentionShapes, RaggedHistoryMatchesNaive) {
  const auto [queries, tokens, head_dim, group] = GetParam();
  RaggedCase c{.group = group, .queries = queries, .tokens = tokens, .head_dim = head_dim};
  c.length = {0, 77, 1, 300, 16, 513};
  c.fill();
  expect_matches_naive(c, 0.2, false, 2e-5);
}

INSTANTIATE_TEST_SUITE_P(Shapes,
                         AttentionShapes,
                         testing::Values(Shape{1, 1, 40},
                                         Shape{2, 2, 32},
                                         Shape{3, 3, 7},
                                         Shape{4, 4, 32},
                                         Shape{5, 5, 128},
                                         Shape{36, 36, 40},
                                         Shape{97, 97, 64},
                                         Shape{200, 200, 33},
                                         Shape{9, 300, 20},
                                         Shape{300, 9, 17},
                                         Shape{1, 1, 40, 2},
                                         Shape{1, 1, 40, 4},
                                         Shape{1, 30, 24, 4},
                                         Shape{5, 5, 128, 4},
                                         Shape{97, 97, 64, 2},
                                         Shape{36, 36, 40, 4}));

TEST(Attention, SpikyKeysDoNotOverflow) {
  RaggedCase c{.queries = 50, .tokens = 50, .spike = 40};
  c.length = {0, 77, 1, 300, 16, 513};
  c.fill();
  expect_matches_naive(c, 1.0, false, 2e-3);
}

TEST(Attention, EmptyHistoryEverywhere) {
  RaggedCase c{.queries = 16, .tokens = 16};
  c.length = {0, 0, 0, 0, 0, 0};
  c.fill();
  expect_matches_naive(c, 0.3, false, 2e-5);
}

TEST(Attention, CausalAmongCurrentTokens) {
  for (const int64_t group : {1, 2, 4}) {
    for (const int64_t queries : {1, 3, 50, 260, 600}) {
      RaggedCase c{.group = group, .queries = queries, .tokens = queries};
      c.length = {0, 77, 1, 300, 16, 513};
      c.fill();
      expect_matches_naive(c, 0.2, true, 2e-5);
    }
  }
}

TEST(Attention, MixedTypesAreWidened) {
  for (const int64_t queries : {1, 20}) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      RaggedCase c{.queries = queries, .tokens = queries};
      c.query_type = type;
      c.value_type = at::kBFloat16;
      c.length = {0, 77, 1, 300, 16, 513};
      c.fill();
      expect_matches_naive(c, 0.2, false, type == at::kFloat ? 2e-5 : 2e-2);
      c.key_type = at::kBFloat16;
      c.fill();
      expect_matches_naive(c, 0.2, false, type == at::kFloat ? 2e-5 : 2e-2);
    }
  }
}

TEST(Attention, HistoryAndCurrentMayDifferInType) {
  RaggedCase c{.queries = 20, .tokens = 20};
  c.length = {0, 77, 1, 300, 16, 513};
  c.fill();
  c.arena_keys = c.arena_keys.to(at::kBFloat16);
  c.arena_values = c.arena_values.to(at::kBFloat16);
  expect_matches_naive(c, 0.2, false, 2e-5);
}

TEST(Attention, PartsMergeToTheWhole) {
  RaggedCase c{.rows = 1, .heads = 2, .queries = 11, .tokens = 64, .head_dim = 24};
  c.length = {50, 3};
  c.fill();
  const auto whole = on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2);
  const std::vector<int64_t> none{0, 0};
  const RaggedRows empty{
      .keys = c.arena_keys, .values = c.arena_values, .begin = c.begin, .length = none};
  const auto current = on_test_device::ragged_attention(c.q, empty, c.k, c.v, 0.2);
  const auto nothing = c.k.narrow(2, 0, 0);
  const auto past = on_test_device::ragged_attention(c.q, c.history(), nothing, nothing, 0.2);
  const auto lse = at::logaddexp(past.lse, current.lse);
  const auto out = past.out * (past.lse - lse).exp().unsqueeze(-1) +
                   current.out * (current.lse - lse).exp().unsqueeze(-1);
  EXPECT_LT(largest_difference(lse, whole.lse), 1e-5);
  EXPECT_LT(largest_difference(out, whole.out), 1e-5);
}

TEST(Attention, NothingVisibleGivesZeroAndMinusInfinity) {
  RaggedCase c{.rows = 1, .heads = 1, .queries = 5, .tokens = 4};
  c.length = {0};
  c.fill();
  const auto nothing = c.k.narrow(2, 0, 0);
  const auto result = on_test_device::ragged_attention(c.q, c.history(), nothing, nothing, 1.0);
  EXPECT_EQ(result.out.abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(result.lse.isneginf().all().item<bool>());
}

TEST(Attention, NanInNanOut) {
  for (const int64_t queries : {1, 10}) {
    RaggedCase c{.rows = 1, .heads = 1, .queries = queries, .tokens = queries};
    c.length = {20};
    c.fill();
    c.k[0][0][0].fill_(NAN);
    const auto result = on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 1.0, true);
    EXPECT_TRUE(result.out.isnan().all().item<bool>());
  }
}

TEST(Attention, RepeatedRunsAreBitEqualAndMergedHeadsAreAView) {
  for (const auto& [group, queries] : {std::pair<int64_t, int64_t>{1, 120}, {4, 30}, {4, 1}}) {
    RaggedCase c{.group = group, .queries = queries, .tokens = queries};
    c.length = {0, 77, 1, 300, 16, 513};
    c.fill();
    const auto first = on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2);
    const auto second = on_test_device::ragged_attention(c.q, c.history(), c.k, c.v, 0.2);
    EXPECT_TRUE(at::equal(first.out, second.out));
    EXPECT_TRUE(at::equal(first.lse, second.lse));
    EXPECT_EQ(first.out.transpose(1, 2).flatten(2).data_ptr(), first.out.data_ptr());
  }
}

TEST(Attention, BadShapesAreNamed) {
  RaggedCase c;
  c.fill();
  const auto message = [&](const at::Tensor& q, const at::Tensor& k) -> std::string {
    try {
      on_test_device::ragged_attention(q, c.history(), k, c.v, 1.0);
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "nothing thrown";
  };
  EXPECT_NE(message(c.q.narrow(3, 0, 8), c.k).find("q has shape"), std::string::npos);
  EXPECT_NE(message(c.q, c.k.to(at::kDouble)).find("expected float32 or bfloat16"),
            std::string::npos);
  EXPECT_NE(message(c.q.repeat({1, 2, 1, 1}).narrow(1, 0, 4), c.k)
                .find("4 heads; expected a multiple of the 3 heads of k"),
            std::string::npos);
  EXPECT_NE(message(c.q, c.k.narrow(2, 0, 2)).find("v has 7 tokens, k has 2"), std::string::npos);
}

}  // namespace
}  // namespace kvscope
