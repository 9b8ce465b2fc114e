// H2O's sums and its real drop against plain double loops that remember by position.
#include <map>
#include <set>
#include <tuple>

#include "attention_oracle.h"
#include "core/base/error.h"
#include "policies/signals/attention_sums.h"

namespace kvscope {

MakeComponent<Score> make_score_accumulated_attention;

namespace {

/// What every (row, head, position) has received, and from how many queries.
struct Received {
  double attention = 0;
  double queries = 0;
};
using Ledger = std::map<std::tuple<int64_t, int64_t, int64_t>, Received>;

void add_step(Ledger& ledger, const LayerStep& layer_step) {
  for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
    for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
      for (int64_t query = 0; query < layer_step.step.queries(); ++query) {
        const auto weights = oracle_attention(layer_step, row, head, query);
        for (int64_t token = 0; token < std::ssize(weights); ++token) {
          if (!sees(layer_step, row, head, query, token)) continue;
          Received& one = ledger[{row, head, position_of(layer_step, row, head, token)}];
          one.attention += weights[token];
          one.queries += 1;
        }
      }
    }
  }
}

/// Compares every score with the ledger; returns how many.
int64_t compare(const Ledger& ledger,
                const LayerStep& layer_step,
                const at::Tensor& scores,
                bool mean) {
  int64_t compared = 0;
  for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
    for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
      for (int64_t token = 0; token < tokens_held(layer_step, row, head); ++token) {
        const int64_t position = position_of(layer_step, row, head, token);
        const auto entry = ledger.find({row, head, position});
        const Received one = entry == ledger.end() ? Received{} : entry->second;
        const double expected = mean ? one.attention / std::max(one.queries, 1.0) : one.attention;
        EXPECT_NEAR(scores[row][head][token].item<double>(), expected, 2e-5 * (1 + expected))
            << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row, head,
                           token);
        ++compared;
      }
    }
  }
  return compared;
}

void check(const std::string& reduce, const Plan& plan, const std::vector<int64_t>& padding) {
  const auto score = made_component(make_score_accumulated_attention,
                                    "{name: accumulated_attention, reduce: " + reduce + "}");
  for (int generation = 0; generation < 2; ++generation) {  // the second finds nothing left
    Ledger ledger;
    int64_t compared = 0;
    RandomEvictions controller(*score, [&](const LayerStep& layer_step) {
      add_step(ledger, layer_step);
      compared += compare(ledger, layer_step, score->score(layer_step), reduce == "mean");
    });
    run_evictions(controller, plan,
                  padding.empty() ? std::vector<int64_t>{4} : std::vector<int64_t>{4, 9, 2},
                  padding);
    EXPECT_GT(compared, 100);
  }
}

TEST(AccumulatedAttention, SumsWhatEveryHeldTokenReceived) {
  check("sum", ragged_scales(), {});
  check("sum", ragged_tokens(), {0, 3, 1});
}

TEST(AccumulatedAttention, MeanCountsTheQueriesThatSawTheToken) {
  check("mean", ragged_scales(), {});
  check("mean", ragged_tokens(), {2, 0, 5});
}

/// H2O written down once more: its own ledger, its own choice, per row and head.
TEST(AccumulatedAttention, DropsAsTheEquationsSay) {
  constexpr int64_t kHeavy = 5;
  constexpr int64_t kRecent = 4;
  const auto policy =
      policy_from("{score: {name: accumulated_attention, recent_tokens: 4}, protect: window}");
  const CacheGeometry geometry{
      .layers = 1, .heads = 3, .head_dim = 6, .steps = next_token_steps(7, 23)};
  policy->keep_order();  // the oracle takes the last tokens for the newest
  const Plan plan = policy->plan(geometry, Budget::of_tokens(kHeavy + kRecent));
  Ledger ledger;
  int64_t evictions = 0;
  class Oracle : public CacheController {
   public:
    Oracle(Policy& inner, Ledger& all, int64_t& count)
        : policy_(inner), ledger_(all), cuts_(count) {}
    void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
    std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
      add_step(ledger_, layer_step);
      std::optional<KeptIndices> kept = policy_.decide(layer_step);
      for (int64_t slot = 0; slot < layer_step.cache->rows() * 3; ++slot) {
        const int64_t row = slot / 3;
        const int64_t head = slot % 3;
        const int64_t tokens = tokens_held(layer_step, row, head);
        if (tokens <= kHeavy + kRecent) {
          EXPECT_FALSE(kept.has_value());
          continue;
        }
        std::vector<std::pair<double, int64_t>> old;
        for (int64_t token = 0; token < tokens - kRecent; ++token) {
          const int64_t position = position_of(layer_step, row, head, token);
          old.emplace_back(-ledger_[{row, head, position}].attention, token);
        }
        std::sort(old.begin(), old.end());
        std::set<int64_t> expected;
        for (int64_t i = 0; i < kHeavy; ++i)
          expected.insert(old[static_cast<std::size_t>(i)].second);
        for (int64_t token = tokens - kRecent; token < tokens; ++token) expected.insert(token);
        EXPECT_EQ((*kept)[static_cast<std::size_t>(slot)],
                  std::vector<int64_t>(expected.begin(), expected.end()));
        ++cuts_;
      }
      return kept;
    }

   private:
    Policy& policy_;
    Ledger& ledger_;
    int64_t& cuts_;
  } oracle(*policy, ledger, evictions);
  run_evictions(oracle, plan, {3, 8, 1});
  EXPECT_GT(evictions, 100);
}

TEST(AccumulatedAttention, ProtectsTheNewestPartOfTheBudget) {
  const StepInfo step{.index = 3, .grid_height = 4, .grid_width = 5, .first_token = 30};
  const auto window = [&](const std::string& options, int64_t most) {
    return made_component(make_score_accumulated_attention,
                          "{name: accumulated_attention" + options + "}")
        ->window(step, most);
  };
  EXPECT_EQ(window("", 6), (std::vector<int64_t>{47, 48, 49}));
  EXPECT_EQ(window(", recent_fraction: 0.4", 9), (std::vector<int64_t>{47, 48, 49}));
  EXPECT_EQ(window(", recent_fraction: 0", 9), std::vector<int64_t>());
  EXPECT_EQ(window(", recent_tokens: 2", 9), (std::vector<int64_t>{48, 49}));
  EXPECT_EQ(window(", recent_tokens: 0", 9), std::vector<int64_t>());
  EXPECT_EQ(window(", recent_tokens: 9", 4), (std::vector<int64_t>{48, 49}));
  EXPECT_EQ(window("", 60).size(), 30U);  // into earlier steps
}

TEST(AttentionSums, SayWhereAStepWasMissed) {
  AttentionSums sums;
  const Plan plan = ragged_tokens();
  KvCache cache(plan, 1, at::kCPU);
  class Twice : public CacheController {
   public:
    explicit Twice(AttentionSums& sums) : sums_(sums) {}
    void begin_generation(int64_t) override {}
    std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
      EXPECT_THROW((void)sums_.sums(layer_step), Error);
      sums_.observe(layer_step);
      EXPECT_THROW(sums_.observe(layer_step), Error);
      EXPECT_EQ(sums_.state_bytes(), 4 * 3 * 6);
      return std::nullopt;
    }

   private:
    AttentionSums& sums_;
  } twice(sums);
  AttentionContext context{.cache = cache, .controller = &twice};
  const StepInfo& step = plan.geometry().steps.front();
  const LayerInputs in = layer_inputs(plan.geometry(), step, 0, {1});
  attend(context, in.at(step, 0, 1.0));
}

}  // namespace
}  // namespace kvscope
