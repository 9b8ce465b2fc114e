// Every score against its definition in double, on ragged caches: heads of different lengths, some
// of them with gaps.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "../policy_run.h"
#include "core/engine/hole_filling.h"
#include "policies/component.h"

namespace kvscope {

MakeComponent<Score> make_score_recency;

namespace {

using Line = std::vector<double>;  // one value a token

/// One (row, head) in plain double loops.
struct Head {
  const LayerStep& layer_step;
  int64_t row;
  int64_t head;

  [[nodiscard]] int64_t held() const {
    return layer_step.cache->length(layer_step.layer, row, head);
  }
  [[nodiscard]] int64_t tokens() const { return held() + layer_step.step.queries(); }
  [[nodiscard]] double key(int64_t token, int64_t channel) const {
    return token < held()
               ? layer_step.cache->keys(layer_step.layer, row, head)[token][channel].item<double>()
               : layer_step.k[row][head][token - held()][channel].item<double>();
  }
  [[nodiscard]] Line logits(const std::function<double(int64_t)>& query) const {
    const int64_t head_dim = layer_step.k.size(3);
    Line values;
    for (int64_t token = 0; token < tokens(); ++token) {
      double sum = 0;
      for (int64_t c = 0; c < head_dim; ++c) sum += query(c) * key(token, c);
      values.push_back(sum);
    }
    return values;
  }
};

Line recency(const Head& head) {
  Line values;
  for (int64_t token = 0; token < head.tokens(); ++token) {
    values.push_back(static_cast<double>(position_of(head.layer_step, head.row, head.head, token)));
  }
  return values;
}

/// Compares a score with its oracle at every decision, then keeps random tokens.
class OracleCheck : public CacheController {
 public:
  OracleCheck(Score& score, std::function<Line(const Head&)> oracle)
      : score_(score), oracle_(std::move(oracle)) {}
  void begin_generation(int64_t rows) override { score_.begin_generation(rows); }

  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    const at::Tensor scores = score_.score(layer_step);
    KeptIndices kept;
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        const Head one{.layer_step = layer_step, .row = row, .head = head};
        const Line expected = oracle_(one);
        for (std::size_t token = 0; token < expected.size(); ++token) {
          if (!std::isnan(expected[token])) {
            EXPECT_NEAR(scores[row][head][static_cast<int64_t>(token)].item<double>(),
                        expected[token], 2e-5 * (1 + std::abs(expected[token])))
                << fmt::format("step {}, row {}, head {}, token {}", layer_step.step.index, row,
                               head, token);
            ++compared;
          }
        }
        std::vector<int64_t> all(static_cast<std::size_t>(one.tokens()));
        std::iota(all.begin(), all.end(), 0);
        kept.emplace_back();
        std::sample(all.begin(), all.end(), std::back_inserter(kept.back()),
                    layer_step.cache->plan().kept(layer_step.step.index, layer_step.layer, head),
                    random_);
      }
    }
    return score_.order_free() ? hole_filling(std::move(kept)) : kept;
  }
  int64_t compared = 0;

 private:
  Score& score_;
  std::function<Line(const Head&)> oracle_;
  std::mt19937 random_{3};
};

void check(Score& score, const std::function<Line(const Head&)>& oracle, StepKind first_kind) {
  CacheGeometry geometry{.layers = 1,
                         .heads = 3,
                         .head_dim = 7,
                         .steps = next_scale_steps({{1, 3}, {2, 3}, {5, 4}, {4, 9}, {5, 5}})};
  geometry.steps[0].kind = first_kind;
  // Heads of different lengths; one keeps everything for a while.
  const Plan plan(geometry, {{{3, 1, 2}}, {{9, 2, 4}}, {{11, 22, 3}}, {{47, 5, 1}}, {{47, 5, 1}}});
  KvCache cache(plan, 2, at::kCPU);
  OracleCheck controller(score, oracle);
  AttentionContext context{.cache = cache, .controller = &controller};
  controller.begin_generation(2);
  for (const StepInfo& step : geometry.steps) {
    const LayerInputs inputs = layer_inputs(geometry, step, 0, {4, 9});
    attend(context, inputs.at(step, 0, 0.8));
  }
  EXPECT_GT(controller.compared, 150);
}

std::unique_ptr<Score> made(MakeComponent<Score>* make, const std::string& text) {
  const ConfigNode node = yaml(text);
  Options options = component_options("policy.score", node);
  auto score = make(options);
  options.finish();
  return score;
}

TEST(Recency, EqualsItsDefinition) {
  check(*made(make_score_recency, "{name: recency}"), recency, StepKind::kScale);
}

}  // namespace
}  // namespace kvscope
