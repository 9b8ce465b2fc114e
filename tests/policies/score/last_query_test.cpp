// TOVA's score against plain double loops: heads that hold other tokens, padding, whole scales.
#include <map>

#include "attention_oracle.h"

namespace kvscope {

MakeComponent<Score> make_score_last_query;

namespace {

/// Attention that a position receives from the chosen queries, mean over queries and heads.
std::map<int64_t, double> oracle(const LayerStep& layer_step, int64_t row, bool whole_scale) {
  std::map<int64_t, double> received;
  const int64_t queries = layer_step.step.queries();
  const int64_t heads = layer_step.k.size(1);
  const bool whole = whole_scale && layer_step.step.kind == StepKind::kScale;
  for (int64_t query = whole ? 0 : queries - 1; query < queries; ++query) {
    for (int64_t head = 0; head < heads; ++head) {
      const auto weights = oracle_attention(layer_step, row, head, query);
      for (int64_t token = 0; token < std::ssize(weights); ++token) {
        received[position_of(layer_step, row, head, token)] +=
            weights[token] / static_cast<double>(heads * (whole ? queries : 1));
      }
    }
  }
  return received;
}

void check(const std::string& queries, const Plan& plan, const std::vector<int64_t>& padding) {
  const auto score =
      made_component(make_score_last_query, "{name: last_query, queries: " + queries + "}");
  int64_t compared = 0;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      const auto expected = oracle(layer_step, row, queries == "whole_scale");
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        for (int64_t token = 0; token < tokens_held(layer_step, row, head); ++token) {
          EXPECT_NEAR(scores[row][head][token].item<double>(),
                      expected.at(position_of(layer_step, row, head, token)), 1e-5)
              << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                             token);
          ++compared;
        }
      }
    }
  });
  run_evictions(controller, plan,
                padding.empty() ? std::vector<int64_t>{4} : std::vector<int64_t>{4, 9, 2}, padding);
  EXPECT_GT(compared, 100);
}

TEST(LastQuery, IsTheMeanOverHeadsOfTheNewestQuery) {
  check("last", ragged_scales(), {});
  check("last", ragged_tokens(), {0, 3, 1});
}

TEST(LastQuery, LooksFromAWholeScaleButFromTheEndOfAPrompt) {
  check("whole_scale", ragged_scales(), {});
  check("whole_scale", ragged_tokens(), {4, 0, 2});
}

TEST(LastQuery, KeepsTheSameTokensInAllHeads) {
  const auto policy = policy_from("{score: last_query}");
  const CacheGeometry geometry{
      .layers = 2, .heads = 3, .head_dim = 6, .steps = next_token_steps(7, 19)};
  int64_t evictions = 0;
  for (const Decision& decision :
       run_policy(*policy, policy->plan(geometry, Budget::of_tokens(9)), {0, 5, 2})) {
    if (!decision.kept) continue;
    for (std::size_t slot = 0; slot < decision.kept->size(); ++slot) {
      EXPECT_EQ((*decision.kept)[slot], (*decision.kept)[slot - slot % 3]);
    }
    ++evictions;
  }
  EXPECT_GT(evictions, 20);
}

}  // namespace
}  // namespace kvscope
