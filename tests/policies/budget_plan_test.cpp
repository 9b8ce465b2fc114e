// Budgets put into plans, and rows that decide together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "tests/policies/policy_run.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

/// What it is told, and `extra` more in the first layer and first head.
class Uneven : public Allocate {
 public:
  explicit Uneven(int64_t extra) : extra_(extra) {}
  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    LayerHeadTokens tokens(request.available.layers(), request.available.heads(),
                           request.budget_tokens);
    tokens.all().front() += extra_;
    return tokens;
  }

 private:
  int64_t extra_;
};

/// A number for every (row, head, position), the same whatever the cache holds.
double importance(int64_t row, int64_t head, int64_t position) {
  return std::fmod(0.618 * static_cast<double>((7 * row + 3 * head + 1) * (position + 5)), 1.0);
}

class ByPosition : public Score {
 public:
  [[nodiscard]] at::Tensor score(const LayerStep& layer_step) const override {
    const KvCache& cache = *layer_step.cache;
    const CacheGeometry& geometry = cache.plan().geometry();
    at::Tensor scores = at::zeros({cache.rows(), geometry.heads, max_tokens(layer_step)});
    auto values = scores.accessor<float, 3>();
    for (int64_t row = 0; row < cache.rows(); ++row) {
      for (int64_t head = 0; head < geometry.heads; ++head) {
        int64_t at = 0;
        for (const int64_t position : positions_of(layer_step, row, head)) {
          values[row][head][at++] = static_cast<float>(importance(row, head, position));
        }
      }
    }
    return scores;
  }
};

/// Protects the first `count` tokens of every row, padding not counted.
class FirstTokens : public Protect {
 public:
  explicit FirstTokens(int64_t count) : count_(count) {}
  void mark(const TokenView& view, std::span<uint8_t> is_protected) const override {
    for (int64_t i = 0; i < view.available(); ++i) {
      if (view.position(i) >= 0 && view.position(i) < count_) is_protected[i] = 1;
    }
  }
  [[nodiscard]] int64_t max_tokens(const CacheGeometry& /*geometry*/,
                                   const StepInfo& /*step*/,
                                   int64_t /*window_tokens*/) const override {
    return count_;
  }

 private:
  int64_t count_;
};

class AsIs : public Store {
 public:
  [[nodiscard]] CacheGeometry format(CacheGeometry geometry) const override { return geometry; }
};

class EveryFew : public Schedule {
 public:
  explicit EveryFew(int64_t steps) : steps_(steps) {}
  [[nodiscard]] bool runs_after(const CacheGeometry& /*geometry*/,
                                const StepInfo& step) const override {
    return step.index % steps_ == 0;
  }

 private:
  int64_t steps_;
};

Policy made_up(int64_t extra, int64_t steps_between_evictions, int64_t protected_tokens = 0) {
  PolicySlots slots;
  slots.allocate = std::make_unique<Uneven>(extra);
  slots.score = std::make_unique<ByPosition>();
  slots.protect.push_back(std::make_unique<FirstTokens>(protected_tokens));
  slots.store = std::make_unique<AsIs>();
  slots.schedule = std::make_unique<EveryFew>(steps_between_evictions);
  slots.read = std::make_unique<Read>();
  return {"made_up", std::move(slots)};
}

/// 5 condition tokens and 41 that follow are stored.
CacheGeometry geometry() {
  return {
      .layers = 3, .heads = 2, .head_dim = 8, .steps = next_token_steps(5, 42), .line_tokens = 7};
}

Budget budget(const std::string& text) {
  return budget_from_config(yaml(text));
}

double mean_after(const Plan& plan, int64_t step) {
  return static_cast<double>(plan.live_tokens(step)) / 6.0;
}

constexpr int64_t kLast = 42;

TEST(BudgetPlan, CountsEverythingGoingIntoTheLastStep) {
  // EvictionTiming after steps 0, 10, 20, 30, 40; one more token is stored behind the last of them.
  const Policy policy = made_up(0, 10);
  const PlannedBudget at_the_evictions =
      policy.plan_budget(geometry(), budget("{tokens: 20, moment: cut}"));
  EXPECT_EQ(at_the_evictions.target_tokens, 20);
  EXPECT_EQ(mean_after(at_the_evictions.plan, 30), 20);
  EXPECT_EQ(mean_after(at_the_evictions.plan, kLast), 21);
  const PlannedBudget at_the_end = policy.plan_budget(geometry(), budget("{tokens: 20}"));
  EXPECT_EQ(at_the_end.tokens, 20);
  EXPECT_EQ(at_the_end.target_tokens, 19);
  EXPECT_EQ(mean_after(at_the_end.plan, kLast), 20);
  const PlannedBudget peak = policy.plan_budget(geometry(), budget("{tokens: 20, moment: peak}"));
  EXPECT_EQ(peak.target_tokens, 11);  // and 9 until the next eviction, which the tenth goes through
  int64_t most = 0;
  for (int64_t step = 0; step <= kLast; ++step) {
    most = std::max(most, peak.plan.live_tokens(step));
  }
  EXPECT_EQ(most, 20 * 6);
}

TEST(BudgetPlan, HoldsOverItsScope) {
  const Policy policy = made_up(6, 1);  // one head of six holds 6 more than it should
  const auto target_of = [&](const std::string& text) {
    return policy.plan_budget(geometry(), budget(text)).target_tokens;
  };
  EXPECT_EQ(target_of("{tokens: 20, moment: cut}"), 20);
  EXPECT_EQ(target_of("{tokens: 20}"), 19);                // mean of 19 and a sixth of 6
  EXPECT_EQ(target_of("{tokens: 20, scope: layer}"), 17);  // 17 and half of 6
  EXPECT_EQ(target_of("{tokens: 20, scope: head}"), 14);
}

TEST(BudgetPlan, ScopeStepIsAShareOfEveryStep) {
  const Policy policy = made_up(0, 1, 3);
  const PlannedBudget planned = policy.plan_budget(geometry(), budget("{ratio: 0.5, scope: step}"));
  for (int64_t step = 0; step < kLast; ++step) {
    const auto share = static_cast<int64_t>(std::llround(0.5 * static_cast<double>(5 + step)));
    EXPECT_EQ(planned.plan.kept(step, 1, 1), std::max<int64_t>(share, 3)) << step;
  }
  const PlannedBudget tokens = policy.plan_budget(geometry(), budget("{tokens: 9, scope: step}"));
  EXPECT_EQ(tokens.plan.kept(20, 1, 1), 9);
}

TEST(BudgetPlan, BytesAreThoseOfAnImage) {
  const int64_t token_bytes = 6 * 8 * 8;
  for (const int64_t rows : {1, 2}) {
    for (const int64_t bytes : {20 * token_bytes * rows, 20 * token_bytes * rows + 300}) {
      const Policy policy = made_up(6, 10);
      Budget in_bytes = budget("{bytes: 1}");
      in_bytes.amount = static_cast<double>(bytes);
      const PlannedBudget planned = policy.plan_budget(geometry(), in_bytes, rows);
      EXPECT_LE(planned.plan.live_bytes(kLast, rows), bytes);
      EXPECT_GT(planned.plan.live_bytes(kLast, rows), bytes - token_bytes * rows - 300);
      EXPECT_EQ(planned.target_tokens, 18);  // and 1 behind the last eviction, and a sixth of 6
    }
  }
}

TEST(BudgetPlan, WhatIsTooSmallNamesTheNearestFeasible) {
  const auto refusal = [](const Policy& policy, const std::string& text) -> std::string {
    try {
      (void)policy.plan_budget(geometry(), budget(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(made_up(0, 1, 6), "{tokens: 5}"), HasSubstr("budget.tokens=6"));
  EXPECT_THAT(refusal(made_up(0, 1, 6), "{ratio: 0.1}"), HasSubstr("budget.ratio=0.130435"));
  EXPECT_THAT(refusal(made_up(0, 1, 6), "{lines: 0, text: free}"), HasSubstr("budget.lines=1"));
  EXPECT_EQ(refusal(made_up(0, 1, 6), "{ratio: 0.130435}"), "accepted");
  // With 9 more between the evictions, 1 token per eviction is already 10 at the peak.
  EXPECT_THAT(refusal(made_up(0, 10), "{tokens: 9, moment: peak}"), HasSubstr("budget.tokens=10"));
  EXPECT_EQ(refusal(made_up(0, 10), "{tokens: 10, moment: peak}"), "accepted");
}

TEST(TiedRows, KeepTheLargestSumsOfBothRows) {
  Policy policy = made_up(0, 1, 2);
  policy.tie_guidance_pairs(true);
  const Plan plan = policy.plan(geometry(), Budget::of_tokens(9));
  const std::vector<Decision> decisions = run_policy(policy, plan, {0, 1, 2, 3, 4, 5});
  std::vector<std::vector<int64_t>> held(3 * 3 * 2);  // positions of (layer, pair, head)
  int64_t evictions = 0;
  for (const Decision& decision : decisions) {
    const StepInfo& step = plan.geometry().steps[static_cast<size_t>(decision.step)];
    for (int64_t pair = 0; pair < 3; ++pair) {
      for (int64_t head = 0; head < 2; ++head) {
        auto& positions = held[static_cast<size_t>((decision.layer * 3 + pair) * 2 + head)];
        for (int64_t token = 0; token < step.queries(); ++token) {
          positions.push_back(step.first_token + token);
        }
        if (!decision.kept) continue;
        ++evictions;
        // Naive: rank by the sum over the pair, the first two tokens of the generation always stay.
        const auto rank = [&](int64_t position) {
          return position < 2 ? 10.0
                              : static_cast<double>(
                                    static_cast<float>(importance(pair, head, position)) +
                                    static_cast<float>(importance(pair + 3, head, position)));
        };
        std::vector<int64_t> best = positions;
        std::ranges::sort(best, [&](int64_t a, int64_t b) { return rank(a) > rank(b); });
        best.resize(9);
        std::ranges::sort(best);
        for (const int64_t row : {pair, pair + 3}) {
          std::vector<int64_t> kept;
          for (const int64_t index : (*decision.kept)[static_cast<size_t>(row * 2 + head)]) {
            kept.push_back(positions[static_cast<size_t>(index)]);
          }
          EXPECT_EQ(kept, best) << "step " << decision.step << ", row " << row;
        }
        positions = best;
      }
    }
  }
  EXPECT_GT(evictions, 100);
}

TEST(TiedRows, SeparateRowsDiffer) {
  Policy policy = made_up(0, 1);
  const Plan plan = policy.plan(geometry(), Budget::of_tokens(9));
  int64_t differing = 0;
  for (const Decision& decision : run_policy(policy, plan, {0, 1})) {
    if (decision.kept && (*decision.kept)[0] != (*decision.kept)[2]) ++differing;
  }
  EXPECT_GT(differing, 10);
}

TEST(TiedRows, PaddingOfOneRowIsATokenOfTheOther) {
  Policy policy = made_up(0, 1, 2);
  policy.tie_guidance_pairs(true);
  const Plan plan = policy.plan(geometry(), Budget::of_tokens(4));
  KvCache cache(plan, 2, at::kCPU);
  cache.set_padding(
      {1, 4});  // of a prefill of 5: sinks at 1, 2 of the one row and 4, 5 of the other
  policy.begin_generation(2);
  AttentionContext context{.cache = cache, .controller = &policy};
  for (const StepInfo& step : plan.geometry().steps) {
    if (step.index > 6) break;
    for (int64_t layer = 0; layer < 3; ++layer) {
      const LayerInputs inputs = layer_inputs(plan.geometry(), step, layer, {0, 1});
      attend(context, inputs.at(step, layer, 0.4));
      for (int64_t head = 0; head < 2; ++head) {
        const std::vector<int64_t> positions = cache.positions(layer, 0, head);
        ASSERT_EQ(positions, cache.positions(layer, 1, head));
        if (step.index == 0) {
          EXPECT_EQ(positions, (std::vector<int64_t>{1, 2, 3, 4}));  // 0 is padding in both
        } else {
          EXPECT_EQ(positions, (std::vector<int64_t>{1, 2, 4, 5}));
        }
      }
    }
    cache.audit(step.index);
  }
}

TEST(TiedRows, NeedPairs) {
  Policy policy = made_up(0, 1);
  policy.tie_guidance_pairs(true);
  EXPECT_THROW(policy.begin_generation(3), Error);
}

}  // namespace
}  // namespace kvscope
