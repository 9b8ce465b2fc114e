#include "policies/profiles/duo_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "../policy_run.h"
#include "core/models/shared/rotation_tables.h"

namespace kvscope {
namespace {

int64_t total(const DuoHeads& duo) {
  int64_t sum = 0;
  for (const auto& layer : duo.tokens) sum += std::accumulate(layer.begin(), layer.end(), 0L);
  return sum;
}

int64_t streaming(const DuoHeads& duo) {
  int64_t sum = 0;
  for (const auto& layer : duo.streams) sum += std::accumulate(layer.begin(), layer.end(), 0L);
  return sum;
}

TEST(DuoByHeads, MeetsEveryBudgetExactly) {
  const CacheGeometry geometry{.layers = 5, .heads = 3};
  const HeadTable table = spread_heads(geometry);
  int64_t last_streaming = 15;
  for (int64_t budget = 1; budget <= 120; ++budget) {
    const DuoHeads duo = duo_by_heads(table, geometry, budget, 120, 4, 20);
    EXPECT_EQ(total(duo), 15 * budget) << budget;
    for (int64_t layer = 0; layer < 5; ++layer) {
      for (int64_t head = 0; head < 3; ++head) {
        const int64_t tokens = duo.tokens[layer][head];
        EXPECT_TRUE(duo.streams[layer][head] != 0 || tokens == 120);
        // 24 while one more head at 120 does not fit: what is left is less than a head's gain.
        EXPECT_TRUE(budget < 44 || tokens >= 24) << budget;
        EXPECT_GE(tokens, 1);
        EXPECT_LE(tokens, 120);
      }
    }
    if (budget >= 44) {
      EXPECT_EQ(streaming(duo), 15 - 15 * (budget - 24) / (120 - 24)) << budget;
      EXPECT_LE(streaming(duo), last_streaming);
      last_streaming = streaming(duo);
    }
  }
}

TEST(DuoByHeads, SmallBudgetsStillHaveRetrievalHeads) {
  const CacheGeometry geometry{.layers = 4, .heads = 4};
  const DuoHeads duo = duo_by_heads(spread_heads(geometry), geometry, 20, 100, 4, 60);
  EXPECT_EQ(streaming(duo), 16 - 16 * (20 - 12) / (100 - 12));  // the others hold 4 + 16 / 2
  EXPECT_EQ(streaming(duo), 15);
  EXPECT_EQ(total(duo), 16 * 20);
}

TEST(DuoByRecent, SharesWhatRetrievalHeadsLeave) {
  const CacheGeometry geometry{.layers = 2, .heads = 4};
  const HeadTable table({{0.9, 0.1, 0.8, 0.2}, {0.3, 0.7, 0.4, 0.6}}, "t");
  const DuoHeads duo = duo_by_recent(table, geometry, 60, 100, 4, 0.5);
  // 8 * 60 - 4 * 100 = 80 over 4 heads.
  EXPECT_EQ(duo.tokens,
            (std::vector<std::vector<int64_t>>{{100, 20, 100, 20}, {20, 100, 20, 100}}));
  EXPECT_EQ(total(duo_by_recent(table, geometry, 61, 100, 4, 0.625)), 8 * 61);
  // Retrieval heads alone hold more than the budget: the others keep sinks and one.
  EXPECT_EQ(duo_by_recent(table, geometry, 10, 100, 4, 0.5).tokens[0],
            (std::vector<int64_t>{100, 5, 100, 5}));
  EXPECT_EQ(total(duo_by_recent(table, geometry, 100, 100, 4, 0.5)), 800);
}

TEST(StreamingHeadCount, RoundsHalvesToEven) {
  EXPECT_EQ(streaming_head_count(0.25, 10), 2);
  EXPECT_EQ(streaming_head_count(0.75, 10), 8);
  EXPECT_EQ(streaming_head_count(0.6, 16), 10);
  EXPECT_EQ(streaming_head_count(1.0, 7), 7);
}

TEST(SpreadHeads, TakesHeadsEvenly) {
  const CacheGeometry geometry{.layers = 8, .heads = 8};
  for (const int64_t count : {16, 32, 48}) {
    const auto low = lowest_heads(spread_heads(geometry), geometry, count);
    for (const auto& layer : low) {
      EXPECT_LE(std::abs(std::accumulate(layer.begin(), layer.end(), 0) - count / 8), 1);
    }
  }
}

/// The area under the cumulated attention, by its definition.
TEST(DuoHeadScores, EqualTheirDefinition) {
  constexpr int64_t kDim = 6;
  constexpr int64_t kPositions = 37;
  auto generator = at::detail::createCPUGenerator(4);
  const at::Tensor q = at::randn({3, 2, 2, kDim}, generator) * 2;
  const at::Tensor k = at::randn({3, 2, 2, kDim}, generator) * 2;
  const at::Tensor scores = duo_head_scores(q, k, line_rotation(kPositions, kDim, 50.0));
  const auto turned = [&](const at::Tensor& x, int64_t position) {
    std::vector<double> y(kDim);
    for (int64_t j = 0; j < kDim / 2; ++j) {
      const double angle =
          static_cast<double>(position) * std::pow(50.0, -2.0 * static_cast<double>(j) / kDim);
      const auto a = x[j].item<double>();
      const auto b = x[j + kDim / 2].item<double>();
      y[j] = a * std::cos(angle) - b * std::sin(angle);
      y[j + kDim / 2] = b * std::cos(angle) + a * std::sin(angle);
    }
    return y;
  };
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t head = 0; head < 2; ++head) {
      double mean = 0;
      for (int64_t sample = 0; sample < 3; ++sample) {
        const auto last = turned(q[sample][layer][head], kPositions - 1);
        std::vector<double> weights;
        for (int64_t position = 0; position < kPositions; ++position) {
          const auto key = turned(k[sample][layer][head], position);
          weights.push_back(std::exp(std::inner_product(key.begin(), key.end(), last.begin(), 0.0) /
                                     std::sqrt(kDim)));
        }
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        double cumulated = 0;
        for (const double weight : weights) {
          cumulated += weight / sum;
          mean += cumulated / kPositions / 3;
        }
      }
      EXPECT_NEAR(scores[layer][head].item<double>(), mean, 1e-5);
    }
  }
}

TEST(RetrievalHeads, KeepAllOrTheFirstAndTheNewest) {
  const auto policy = policy_from(
      "{allocate: {name: retrieval_heads, scores: [[0.1, 0.9], [0.8, 0.2]], solve: recent,"
      " sink_tokens: 2, streaming_ratio: 0.5}, score: recency,"
      " protect: {name: sinks, sink_tokens: 2}}");
  const CacheGeometry geometry{
      .layers = 2, .heads = 2, .head_dim = 4, .steps = next_token_steps(5, 26)};
  const Plan plan = policy->plan(geometry, Budget::of_tokens(20));  // of 30: streaming heads 10
  KvCache cache(plan, 2, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy.get()};
  policy->begin_generation(2);
  for (const StepInfo& step : geometry.steps) {
    for (int64_t layer = 0; layer < 2; ++layer) {
      const LayerInputs in = layer_inputs(geometry, step, layer, {0, 1});
      attend(context, in.at(step, layer, 0.4));
    }
    cache.audit(step.index);
  }
  EXPECT_EQ(cache.length(0, 1, 1), 30);
  EXPECT_EQ(cache.length(1, 0, 0), 30);
  EXPECT_THAT(cache.positions(0, 0, 0),
              testing::UnorderedElementsAre(0, 1, 22, 23, 24, 25, 26, 27, 28, 29));
}

}  // namespace
}  // namespace kvscope
