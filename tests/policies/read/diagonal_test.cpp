// Diagonal attention against its rule in plain double loops: what every head skips, and what comes
// out of the attention then.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "../naive_run.h"

namespace kvscope {
namespace {

constexpr int64_t kText = 4;
constexpr double kScale = 0.4;

/// Notes what the policy wants attended to.
class AttendedWitness : public CacheController {
 public:
  explicit AttendedWitness(Policy& policy) : policy_(policy) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    return policy_.decide(layer_step);
  }
  [[nodiscard]] Reading read(const KvCache& cache,
                             const StepInfo& step,
                             int64_t layer) const override {
    const Reading reading = policy_.read(cache, step, layer);
    const KeptIndices* seen = reading.tokens.get();
    positions.clear();
    const int64_t heads = cache.plan().geometry().heads;
    // The plan knows how many tokens attention will copy.
    const auto planned =
        policy_.kv_transients(cache.plan(), EvictionTiming::kPerLayer).copied_tokens(step, layer);
    EXPECT_EQ(planned.has_value(), seen != nullptr) << "step " << step.index;
    for (int64_t row = 0; seen != nullptr && planned && row < cache.rows(); ++row) {
      std::size_t tokens = 0;
      for (int64_t head = 0; head < heads; ++head) tokens += (*seen)[row * heads + head].size();
      EXPECT_EQ(static_cast<int64_t>(tokens), *planned) << "step " << step.index;
    }
    for (int64_t slot = 0; slot < cache.rows() * heads; ++slot) {
      const std::vector<int64_t> held = cache.positions(layer, slot / heads, slot % heads);
      if (seen == nullptr) {
        positions.push_back(held);
      } else {
        positions.emplace_back();
        for (const int64_t index : (*seen)[slot]) positions.back().push_back(held.at(index));
      }
    }
    return reading;
  }
  mutable std::vector<std::vector<int64_t>>
      positions;  // [rows * heads] of the last step asked about

 private:
  Policy& policy_;
};

/// One head's rule: positions that the query at `position` attends to, itself left out.
struct NaiveDiagonal {
  int64_t window;   // N_r
  int64_t attends;  // N_att
  int64_t sinks;
  std::set<int64_t> skipped{};

  [[nodiscard]] std::vector<int64_t> seen(int64_t position) const {
    std::vector<int64_t> tokens;
    for (int64_t token = 0; token < position; ++token) {
      const int64_t distance = position - token;
      const bool stays = token < kText + sinks;
      if (stays || (distance < window && !skipped.contains(distance))) tokens.push_back(token);
    }
    return tokens;
  }
  void learn(int64_t position,
             const std::vector<int64_t>& tokens,
             const std::vector<double>& weights) {
    const int64_t drawn = position - kText - sinks;
    if (drawn < attends - 1 || std::ssize(skipped) >= window - attends) return;
    int64_t least = 0;
    double least_weight = INFINITY;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] < kText + sinks || tokens[i] == position || weights[i] >= least_weight)
        continue;
      least = position - tokens[i];
      least_weight = weights[i];
    }
    if (least > 0) skipped.insert(least);
  }
};

void check(
    const std::string& text, int64_t budget, int64_t window, int64_t attends, int64_t sinks) {
  CacheGeometry geometry{
      .layers = 2, .heads = 2, .head_dim = 5, .steps = next_token_steps(kText, 40)};
  const std::vector<int64_t> rows{0, 3};
  const auto policy = policy_from(text);
  const Plan plan = policy->plan(geometry, Budget::of_tokens(budget));
  KvCache cache(plan, 2, at::kCPU);
  AttendedWitness witness(*policy);
  witness.begin_generation(2);
  AttentionContext context{.cache = cache, .controller = &witness};
  std::map<std::pair<int64_t, int64_t>, NaiveDiagonal> rules;
  std::map<std::pair<int64_t, int64_t>, NaiveInputs> inputs;
  std::map<std::pair<int64_t, int64_t>, std::vector<std::vector<double>>> values;
  int64_t left_out = 0;
  for (const StepInfo& step : geometry.steps) {
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      const LayerInputs made = layer_inputs(geometry, step, layer, rows);
      const at::Tensor out = attend(context, made.at(step, layer, kScale));
      for (int64_t slot = 0; slot < 4; ++slot) {
        const std::pair<int64_t, int64_t> layer_slot{layer, slot};
        inputs[layer_slot].add(made, step, slot / 2, slot % 2);
        for (int64_t i = 0; i < step.queries(); ++i) {
          values[layer_slot].emplace_back();
          for (int64_t c = 0; c < 5; ++c) {
            values[layer_slot].back().push_back(made.v[slot / 2][slot % 2][i][c].item<double>());
          }
        }
        if (step.kind != StepKind::kToken) continue;
        auto& rule =
            rules
                .try_emplace(layer_slot,
                             NaiveDiagonal{.window = window, .attends = attends, .sinks = sinks})
                .first->second;
        std::vector<int64_t> tokens = rule.seen(step.first_token);
        EXPECT_EQ(witness.positions[slot], tokens)
            << fmt::format("step {}, layer {}, slot {}", step.index, layer, slot);
        left_out += step.first_token - std::ssize(tokens);
        tokens.push_back(step.first_token);
        const auto weights =
            inputs[layer_slot].attention(tokens, step.first_token, step.first_token, kScale);
        for (int64_t c = 0; c < 5; ++c) {
          double expected = 0;
          for (std::size_t i = 0; i < tokens.size(); ++i) {
            expected += weights[i] * values[layer_slot][tokens[i]][c];
          }
          EXPECT_NEAR(out[slot / 2][slot % 2][0][c].item<double>(), expected, 1e-5);
        }
        if (step.stored) rule.learn(step.first_token, tokens, weights);
      }
    }
    cache.audit(step.index);
  }
  for (const auto& [layer_slot, rule] : rules)
    EXPECT_EQ(std::ssize(rule.skipped), window - attends);
  EXPECT_GT(left_out, 500);
}

TEST(Diagonal, SkipsTheDistancesThatGetLeast) {
  // 20 tokens held beside 4 of text: a window of 16 and the query's own token.
  check("{read: {name: diagonal, attended_tokens: 6}, protect: text}", 20, 17, 6, 0);
  check("{read: {name: diagonal, attended_share: 0.5}, protect: text}", 24, 21, 11, 0);
}

TEST(Diagonal, SinksStayAndAreNotPartOfTheWindow) {
  check(
      "{read: {name: diagonal, attended_tokens: 5, sinks: 3}, protect: [text, {name: anchors, "
      "anchor_tokens: 3}]}",
      20, 14, 5, 3);
}

TEST(Diagonal, AFullBudgetSkipsNothing) {
  CacheGeometry geometry{
      .layers = 1, .heads = 2, .head_dim = 5, .steps = next_token_steps(kText, 12)};
  const auto policy = policy_from("{read: {name: diagonal, attended_tokens: 2}, protect: text}");
  const Plan plan = policy->plan(geometry, Budget::of_ratio(1));
  for (const Decision& decision : run_policy(*policy, plan, {0})) EXPECT_FALSE(decision.kept);
  KvCache cache(plan, 1, at::kCPU);
  for (const StepInfo& step : geometry.steps)
    EXPECT_EQ(policy->read(cache, step, 0).tokens, nullptr);
}

}  // namespace
}  // namespace kvscope
