#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "attention_oracle.h"
#include "policies/signals/random_scores.h"

namespace kvscope {

MakeComponent<Score> make_score_random;

namespace {

TEST(RandomScore, IsUniformWhicheverFieldRuns) {
  using Field = std::function<ScoreKey(int64_t)>;
  const std::vector<Field> fields = {
      [](int64_t i) { return ScoreKey{.seed = static_cast<uint64_t>(i)}; },
      [](int64_t i) { return ScoreKey{.row = static_cast<uint64_t>(i)}; },
      [](int64_t i) { return ScoreKey{.layer = i}; },
      [](int64_t i) { return ScoreKey{.head = i}; },
      [](int64_t i) { return ScoreKey{.position = i}; },
      [](int64_t i) { return ScoreKey{.draw = i}; }};
  constexpr int kCount = 20000;
  std::set<float> first_values;
  for (const Field& field : fields) {
    double sum = 0;
    double squares = 0;
    double neighbours = 0;
    double last = 0;
    for (int i = 0; i < kCount; ++i) {
      const double value = random_score(field(i));
      ASSERT_GE(value, 0.0);
      ASSERT_LT(value, 1.0);
      sum += value;
      squares += value * value;
      neighbours += (value - 0.5) * (last - 0.5);
      last = value;
    }
    // Standard errors: 0.002, 0.0021, 0.0006.
    EXPECT_NEAR(sum / kCount, 1.0 / 2, 0.01);
    EXPECT_NEAR(squares / kCount, 1.0 / 3, 0.01);
    EXPECT_NEAR(neighbours / kCount, 0.0, 0.003);
    first_values.insert(random_score(field(1)));
  }
  EXPECT_EQ(first_values.size(), fields.size()) << "fields are not told apart";
}

/// Scores by (row, head, position without padding) at every step.
using Seen = std::map<std::array<int64_t, 4>, float>;

Seen seen(const std::string& text, const std::vector<int64_t>& rows, std::vector<int64_t> padding) {
  const auto score = made_component(make_score_random, text);
  Seen values;
  RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
    const at::Tensor scores = score->score(layer_step);
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        for (int64_t token = 0; token < tokens_held(layer_step, row, head); ++token) {
          const int64_t position =
              position_of(layer_step, row, head, token) - layer_step.cache->padding(row);
          if (position < 0) continue;
          values[{layer_step.step.index, rows[row], head, position}] =
              scores[row][head][token].item<float>();
        }
      }
    }
  });
  run_evictions(controller, ragged_tokens(), rows, padding);
  return values;
}

/// What both have, compared.
int64_t expect_agree(const Seen& a, const Seen& b) {
  int64_t common = 0;
  for (const auto& [key, value] : a) {
    const auto other = b.find(key);
    if (other == b.end()) continue;
    EXPECT_EQ(value, other->second)
        << fmt::format("step {}, row {}, head {}, position {}", key[0], key[1], key[2], key[3]);
    ++common;
  }
  return common;
}

TEST(Random, DependsOnRowLayerHeadAndPositionAlone) {
  const Seen alone = seen("{name: random, seed: 5}", {1}, {});
  const Seen batch = seen("{name: random, seed: 5}", {7, 1, 3}, {});
  const Seen padded = seen("{name: random, seed: 5}", {7, 1, 3}, {0, 2, 4});
  EXPECT_GT(expect_agree(alone, batch), 60);
  EXPECT_GT(expect_agree(alone, padded), 30);
  for (const auto& [key, value] : alone) {
    EXPECT_EQ(value,
              random_score({.seed = 5, .row = 1, .layer = 0, .head = key[2], .position = key[3]}));
  }
}

TEST(Random, RowsDrawAlikeWhenAsked) {
  const auto as_of_another_row = [](const Seen& values) {
    int64_t alike = 0;
    int64_t compared = 0;
    for (const auto& [key, value] : values) {
      if (key[1] != 7) continue;
      auto other = key;
      other[1] = 3;
      if (!values.contains(other)) continue;
      ++compared;
      alike += values.at(other) == value ? 1 : 0;
    }
    EXPECT_GT(compared, 30);
    return static_cast<double>(alike) / static_cast<double>(compared);
  };
  EXPECT_EQ(as_of_another_row(seen("{name: random, rows: alike}", {7, 3}, {})), 1);
  EXPECT_LT(as_of_another_row(seen("{name: random}", {7, 3}, {})), 0.1);
}

TEST(Random, DrawsAgainOnlyWhenAsked) {
  const Seen once = seen("{name: random}", {1}, {});
  const Seen again = seen("{name: random, redraw: each_step}", {1}, {});
  int64_t differing = 0;
  for (const auto& [key, value] : once) {
    auto earlier = key;
    earlier[0] -= 1;
    if (once.contains(earlier)) {
      EXPECT_EQ(once.at(earlier), value);
    }
    if (again.contains(earlier) && again.contains(key)) {
      differing += again.at(earlier) != again.at(key) ? 1 : 0;
    }
  }
  EXPECT_GT(differing, 20);
}

TEST(Random, KeepsAUniformSampleOfAllTokens) {
  const auto policy = policy_from("{allocate: uniform, score: {name: random, seed: 3}}");
  const CacheGeometry geometry{
      .layers = 20, .heads = 8, .head_dim = 2, .steps = next_token_steps(10, 91)};
  KvCache cache(policy->plan(geometry, Budget::of_tokens(20)), 1, at::kCPU);
  AttentionContext context{.cache = cache, .controller = policy.get()};
  policy->begin_generation(1);
  for (const StepInfo& step : geometry.steps) {
    const at::Tensor zeros = at::zeros({1, 8, step.queries(), 2});
    for (int64_t layer = 0; layer < 20; ++layer) {
      attend(context, {.step = step,
                       .layer = layer,
                       .q = zeros,
                       .k = zeros,
                       .v = zeros,
                       .softmax_scale = 1.0,
                       .hidden = zeros,
                       .query_weight = zeros});
    }
  }
  std::vector<int64_t> tens(10, 0);
  for (int64_t layer = 0; layer < 20; ++layer) {
    for (int64_t head = 0; head < 8; ++head) {
      for (const int64_t position : cache.positions(layer, 0, head)) ++tens[position / 10];
    }
  }
  // 160 heads keep 20 of 100 tokens: 320 of every ten, with a standard error of 15.
  for (const int64_t count : tens) EXPECT_NEAR(static_cast<double>(count), 320, 75);
}

}  // namespace
}  // namespace kvscope
