// SnapKV's score in all its forms against plain double loops: on scales, prompts and single tokens,
// ragged heads, padding.
#include "policies/signals/observation_window.h"
#include "policies/signals/window_scores.h"
#include "remembered_queries.h"

namespace kvscope {

MakeComponent<Score> make_score_window_attention;

namespace {

struct Form {
  int64_t window;
  int64_t kernel;
  bool maximum;
  bool past_alone;
};

/// Compares every score before every eviction; returns how many.
int64_t compare(const Form& form,
                const Plan& plan,
                const std::vector<int64_t>& rows,
                const std::vector<int64_t>& padding = {}) {
  const auto score = made_component(
      make_score_window_attention,
      fmt::format("{{name: window_attention, window: {}, kernel: {}, pool: {}, softmax: {}}}",
                  form.window, form.kernel, form.maximum ? "maximum" : "average",
                  form.past_alone ? "past" : "all"));
  RememberedQueries queries;
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    queries.add(layer_step);
    const int64_t window = fitting_window(form.window, tightest_count(layer_step));
    const int64_t first = first_of_window(layer_step.step, window);
    EXPECT_EQ(score->window(layer_step.step, tightest_count(layer_step)).front(), first);
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const std::vector<double> expected =
            oracle_pool(oracle_window_mean(queries, layer_step, row, head, window, form.past_alone),
                        tokens_before(layer_step, row, head, first), form.kernel, form.maximum);
        for (int64_t token = 0; token < std::ssize(expected); ++token, ++compared) {
          EXPECT_NEAR(scores[row][head][token].item<double>(), expected[token], 2e-6)
              << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                             token);
        }
      }
    }
  });
  run_evictions(controller, plan, rows, padding);
  return compared;
}

TEST(WindowAttention, EqualsItsDefinitionOnScales) {
  EXPECT_GT(compare({5, 3, false, false}, ragged_scales(), {4, 9}), 200);
  EXPECT_GT(compare({4, 7, true, true}, ragged_scales(), {4}), 100);
}

TEST(WindowAttention, RemembersTheQueriesOfSingleTokens) {
  EXPECT_GT(compare({2, 3, false, false}, ragged_tokens(), {4, 9, 2}), 100);
  EXPECT_GT(compare({2, 5, true, true}, ragged_tokens(), {4}), 30);
  EXPECT_GT(compare({1, 1, true, false}, ragged_tokens(), {4}), 30);
}

TEST(WindowAttention, PaddingLendsNothing) {
  EXPECT_GT(compare({2, 3, true, false}, ragged_tokens(), {4, 9, 2}, {0, 5, 3}), 100);
  EXPECT_GT(compare({2, 3, false, true}, ragged_tokens(), {4, 9, 2}, {0, 5, 3}), 100);
}

TEST(WindowAttention, AveragesOverTheQueriesThatLook) {
  const at::Tensor logits =
      at::tensor({-INFINITY, -INFINITY, -INFINITY, 0.0F, 0.0F, -INFINITY}).view({2, 3});
  const at::Tensor none = at::zeros({3}, at::kBool);
  const at::Tensor mean = mean_window_attention(logits, none, SoftmaxOver::kAll);
  EXPECT_TRUE(at::equal(mean, at::tensor({0.5F, 0.5F, 0.0F})));
}

}  // namespace
}  // namespace kvscope
