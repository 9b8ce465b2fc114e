// SSD and HACK against their equations, run through the whole policy.
#include <gtest/gtest.h>

#include "../naive_run.h"

namespace kvscope {
namespace {

CacheGeometry token_geometry() {
  CacheGeometry geometry{.layers = 2, .heads = 3, .head_dim = 5, .steps = next_token_steps(6, 31)};
  geometry.line_tokens = 5;
  return geometry;
}

CacheGeometry scale_geometry() {
  return {.layers = 2,
          .heads = 3,
          .head_dim = 5,
          .steps = next_scale_steps({{1, 1}, {2, 2}, {3, 5}, {4, 6}, {5, 9}, {3, 3}})};
}

/// Kinds of the tables below: 1 where the number is below 0.2.
constexpr bool kSpatial[2][3] = {{true, false, true}, {false, false, true}};
constexpr const char* kTable = "[[0.05, 0.9, 0.19], [0.2, 0.21, 0.0]]";

std::string ssd(const std::string& score, const std::string& schedule) {
  return fmt::format(
      "{{allocate: {{name: head_type, heads: {}, spatial_tokens: 7}}, score: {{name: "
      "spatial_semantic, {}}}, protect: window, schedule: {}}}",
      kTable, score, schedule);
}

NaiveRule ssd_rule(
    int64_t recent,
    std::map<std::tuple<int64_t, int64_t, int64_t>, std::map<int64_t, double>>& all_sums) {
  return [recent, &all_sums](const NaiveView& view) {
    auto& sums = all_sums[{view.layer, view.row, view.head}];
    const StepInfo& step = view.step;
    for (int64_t i = 0; i < step.queries(); ++i) {
      const auto weights = view.attention(step.first_token + i);
      for (std::size_t j = 0; j < weights.size(); ++j) sums[view.tokens[j]] += weights[j];
    }
    const int64_t newest = step.first_token + step.queries() - 1;
    std::vector<double> scores;
    for (const int64_t token : view.tokens) {
      scores.push_back(kSpatial[view.layer][view.head] ? static_cast<double>(token) : sums[token]);
    }
    return naive_best(view, scores, [&](int64_t token) { return token > newest - recent; });
  };
}

TEST(Ssd, KeepsByItsTwoRulesOnNextTokenModels) {
  for (const char* schedule : {"each_scale", "each_line"}) {
    std::map<std::tuple<int64_t, int64_t, int64_t>, std::map<int64_t, double>> sums;
    const auto policy = policy_from(ssd("recent_tokens: 3", schedule));
    EXPECT_GT(expect_same_as_naive(*policy, token_geometry(), Budget::of_tokens(11), {0, 4, 2},
                                   ssd_rule(3, sums)),
              40)
        << schedule;
  }
}

TEST(Ssd, TheListingKeepsTheNewTokenAlone) {
  std::map<std::tuple<int64_t, int64_t, int64_t>, std::map<int64_t, double>> sums;
  const auto policy = policy_from(ssd("recent_tokens: 1", "each_scale"));
  EXPECT_GT(
      expect_same_as_naive(*policy, token_geometry(), Budget::of_tokens(9), {3}, ssd_rule(1, sums)),
      40);
}

TEST(Ssd, KeepsByItsTwoRulesOnNextScaleModels) {
  std::map<std::tuple<int64_t, int64_t, int64_t>, std::map<int64_t, double>> sums;
  const auto policy = policy_from(ssd("recent_tokens: 3", "each_scale"));
  EXPECT_GT(expect_same_as_naive(*policy, scale_geometry(), Budget::of_tokens(20), {1, 0},
                                 ssd_rule(3, sums)),
            10);
}

TEST(Ssd, ASpatialHeadHoldsItsWindowAndTheMeanIsTheBudget) {
  const auto policy = policy_from(ssd("recent_tokens: 3", "each_scale"));
  const Plan plan = policy->plan(token_geometry(), Budget::of_tokens(11));
  int64_t total = 0;
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t head = 0; head < 3; ++head) {
      const int64_t kept = plan.kept(30, layer, head);
      total += kept;
      if (kSpatial[layer][head]) {
        EXPECT_EQ(kept, 7);
      } else {
        EXPECT_EQ(kept, 15);  // (6 * 11 - 3 * 7) / 3
      }
      EXPECT_EQ(plan.head_type(layer, head), kSpatial[layer][head] ? 1 : 0);
    }
  }
  EXPECT_EQ(total, 66);
}

/// HACK: the two of six heads with the least variance are contextual.
constexpr const char* kVariances = "[[5, 0.1, 7], [0.2, 3, 4]]";
constexpr bool kContextual[2][3] = {{false, true, false}, {true, false, false}};

std::string hack() {
  return fmt::format(
      "{{allocate: {{name: head_pattern, heads: {}, alpha: 0.33, contextual_budget: 0.6}}, score: "
      "{{name: head_pattern, observers: 4}}}}",
      kVariances);
}

std::vector<int64_t> hack_rule(const NaiveView& view) {
  const StepInfo& step = view.step;
  const int64_t end = step.first_token + step.queries();
  std::vector<int64_t> observers;
  if (step.kind == StepKind::kToken) {
    for (int64_t i = std::max<int64_t>(end - 4, 0); i < end; ++i) observers.push_back(i);
  } else {
    const int64_t taken = std::min<int64_t>(4, step.queries());
    for (int64_t i = 0; i < taken; ++i) {
      observers.push_back(step.first_token + (2 * i + 1) * step.queries() / (2 * taken));
    }
  }
  std::vector<double> scores(view.tokens.size(), 0.0);
  for (const int64_t query : observers) {
    const auto weights = view.attention(query);
    for (std::size_t j = 0; j < scores.size(); ++j) scores[j] += weights[j];
  }
  if (!kContextual[view.layer][view.head]) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      const int64_t token = view.tokens[j];
      const StepInfo& writer = view.writer(token);
      const bool first = writer.kind == StepKind::kPrefill ||
                         (writer.kind == StepKind::kScale && writer.index < 2);
      const bool recent =
          step.kind == StepKind::kToken ? token >= end - 5 : token >= step.first_token;
      scores[j] += first ? 2000.0 : recent ? 1000.0 : 0.0;
    }
  }
  return naive_best(view, scores, [](int64_t) { return false; });
}

TEST(Hack, KeepsByItsTwoRules) {
  const auto policy = policy_from(hack());
  EXPECT_GT(
      expect_same_as_naive(*policy, scale_geometry(), Budget::of_tokens(30), {0, 4, 2}, hack_rule),
      15);
  EXPECT_GT(expect_same_as_naive(*policy, token_geometry(), Budget::of_tokens(14), {5}, hack_rule),
            80);
}

TEST(Hack, BudgetsOfTheKindsMeetTheMean) {
  const auto policy = policy_from(hack());
  const Plan plan = policy->plan(scale_geometry(), Budget::of_tokens(20));
  for (int64_t layer = 0; layer < 2; ++layer) {
    for (int64_t head = 0; head < 3; ++head) {
      // B_C = 0.6 * 20; B_S = (6 * 20 - 2 * 12) / 4.
      EXPECT_EQ(plan.kept(4, layer, head), kContextual[layer][head] ? 12 : 24);
    }
  }
}

}  // namespace
}  // namespace kvscope
