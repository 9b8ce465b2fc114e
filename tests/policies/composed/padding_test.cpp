// Rows padded on the left, under every YAML in configs/policy: padding goes first, and what it
// holds decides nothing.
#include <gtest/gtest.h>

#include "../budgets.h"
#include "../policy_run.h"
#include "core/base/error.h"
#include "test_paths.h"

namespace kvscope {
namespace {

const std::filesystem::path kPolicyFolder = std::filesystem::path(kSourceDir) / "configs/policy";
const std::vector<int64_t> kPadding = {0, 5, 8};

CacheGeometry geometry() {
  return {.layers = 2, .heads = 3, .head_dim = 12, .steps = next_token_steps(9, 24)};
}

/// One decision with what was padding in it.
struct PaddedDecision {
  int64_t step = 0;
  std::vector<std::vector<uint8_t>> is_padding;  // [rows * heads][available]
  std::vector<std::vector<uint8_t>> is_protected;
  std::optional<KeptIndices> kept;
};

class Recorder : public CacheController {
 public:
  explicit Recorder(Policy& policy) : policy_(policy) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& s) override {
    PaddedDecision decision{.step = s.step.index, .is_padding = {}, .is_protected = {}, .kept = {}};
    for (int64_t slot = 0; slot < s.cache->rows() * s.k.size(1); ++slot) {
      const int64_t row = slot / s.k.size(1);
      const int64_t head = slot % s.k.size(1);
      decision.is_protected.push_back(policy_.protection(s, row, head));
      std::vector<uint8_t>& line = decision.is_padding.emplace_back();
      const auto is_padding = [&](int64_t position) {
        return static_cast<uint8_t>(position < kPadding[static_cast<size_t>(row)]);
      };
      for (const int64_t position : positions_of(s, row, head)) {
        line.push_back(is_padding(position));
      }
    }
    decision.kept = policy_.decide(s);
    decisions.push_back(decision);
    return decision.kept;
  }
  std::vector<PaddedDecision> decisions;

 private:
  Policy& policy_;
};

// `loudness` scales what the padding holds.
std::vector<PaddedDecision> run_padded(Policy& policy, const Plan& plan, double loudness) {
  KvCache cache(plan, 3, at::kCPU);
  cache.set_padding(kPadding);
  Recorder recorder(policy);
  recorder.begin_generation(3);
  AttentionContext context{.cache = cache, .controller = &recorder};
  for (const StepInfo& step : plan.geometry().steps) {
    for (int64_t layer = 0; layer < plan.geometry().layers; ++layer) {
      LayerInputs in = layer_inputs(plan.geometry(), step, layer, {0, 1, 2});
      for (int64_t row = 0; row < 3; ++row) {
        const int64_t padding = cache.padding_of_step(step, row);
        for (const at::Tensor* x : {&in.q, &in.k, &in.v}) {
          (*x)[row].narrow(1, 0, padding).mul_(loudness);
        }
        in.hidden[row].narrow(0, 0, padding).mul_(loudness);
      }
      attend(context, in.at(step, layer, 0.4));
    }
    cache.audit(step.index);
  }
  return recorder.decisions;
}

class PaddedPolicy : public testing::TestWithParam<std::string> {};

TEST_P(PaddedPolicy, DropsPaddingFirstWhateverItHolds) {
  const ConfigNode config = named_policy(kPolicyFolder, GetParam());
  const auto policy = make_policy(config);
  const Plan plan = policy->plan(geometry(), as_in_a_sweep(config, Budget::of_ratio(0.6)));
  const std::vector<PaddedDecision> quiet = run_padded(*policy, plan, 1);
  const std::vector<PaddedDecision> loud = run_padded(*policy, plan, 20);
  ASSERT_EQ(quiet.size(), loud.size());
  for (size_t i = 0; i < quiet.size(); ++i) {
    EXPECT_EQ(quiet[i].kept, loud[i].kept) << "step " << quiet[i].step;
    if (!quiet[i].kept) continue;
    for (size_t slot = 0; slot < quiet[i].kept->size(); ++slot) {
      int64_t real_dropped = std::count(quiet[i].is_padding[slot].begin(),
                                        quiet[i].is_padding[slot].end(), uint8_t{0});
      int64_t padding_kept = 0;
      for (const int64_t index : (*quiet[i].kept)[slot]) {
        const bool padding = quiet[i].is_padding[slot][static_cast<size_t>(index)] != 0;
        (padding ? padding_kept : real_dropped) += padding ? 1 : -1;
      }
      EXPECT_TRUE(real_dropped == 0 || padding_kept == 0)
          << "step " << quiet[i].step << ", slot " << slot << ": " << real_dropped
          << " tokens dropped, " << padding_kept << " of padding kept";
      for (size_t token = 0; token < quiet[i].is_padding[slot].size(); ++token) {
        EXPECT_FALSE(quiet[i].is_padding[slot][token] != 0 &&
                     quiet[i].is_protected[slot][token] != 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy,
                         PaddedPolicy,
                         testing::ValuesIn(policy_names(kPolicyFolder)),
                         [](const auto& name) { return name.param; });

TEST(PaddedSinks, AreTheFirstRealTokens) {
  const auto policy = policy_from(
      "{name: sinks, allocate: {name: uniform}, score: {name: recency}, protect: {name: sinks, "
      "sink_tokens: 2}}");
  const Plan plan = policy->plan(geometry(), Budget::of_tokens(12));
  for (const PaddedDecision& decision : run_padded(*policy, plan, 1)) {
    for (size_t slot = 0; slot < decision.is_padding.size(); ++slot) {
      const auto& padding = decision.is_padding[slot];
      const auto first_real =
          std::find(padding.begin(), padding.end(), uint8_t{0}) - padding.begin();
      EXPECT_NE(decision.is_protected[slot][static_cast<size_t>(first_real)], 0)
          << "step " << decision.step << " slot " << slot;
    }
  }
}

}  // namespace
}  // namespace kvscope
