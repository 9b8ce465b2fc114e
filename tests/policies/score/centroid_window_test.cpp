// ScaleKV's score against its definition in double, every option by itself, on both kinds of steps,
// on caches with gaps and with padded rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "../policy_run.h"
#include "core/base/error.h"
#include "policies/component.h"

namespace kvscope {

MakeComponent<Score> make_score_centroid_window;

namespace {

using Line = std::vector<double>;

constexpr int64_t kWindow = 4;
constexpr double kScale = 0.4;
constexpr double kNothing = -std::numeric_limits<double>::infinity();

struct Case {
  std::string name{};
  std::string options{};
  bool used = false;
  bool softmax = false;
  bool average = false;
  int64_t kernel = 5;
  bool counted = false;
  bool past = false;
  bool layer = false;
  bool uneven = false;  ///< with `layer`: heads keep different numbers all the same
  std::string centre = "upper_left";
};

std::vector<int64_t> centres(int64_t side, const std::string& rule) {  // of two patches
  const int64_t patch = side / 2;
  if (rule == "spread") return {side / 4, 3 * side / 4};
  const int64_t middle = rule == "lower_right" ? patch / 2 : (patch - 1) / 2;
  return {middle, patch + middle};
}

std::vector<int64_t> window_of(const StepInfo& step, const std::string& rule) {
  const int64_t end = step.first_token + step.queries();
  std::vector<int64_t> positions;
  if (step.kind == StepKind::kScale && step.grid_height > 1 && step.grid_width > 1) {
    for (const int64_t y : centres(step.grid_height, rule)) {
      for (const int64_t x : centres(step.grid_width, rule)) {
        positions.push_back(step.first_token + y * step.grid_width + x);
      }
    }
    return positions;
  }
  const int64_t least = step.kind == StepKind::kScale ? step.first_token : 0;
  for (int64_t p = std::max(least, end - kWindow); p < end; ++p) positions.push_back(p);
  return positions;
}

/// Compares the score with the oracle at every step, then keeps random tokens.
class Check : public CacheController {
 public:
  Check(const Case& one, std::vector<std::vector<LayerInputs>> inputs)
      : case_(one), inputs_(std::move(inputs)) {
    node_ = yaml(fmt::format("{{name: centroid_window, window: {}{}}}", kWindow, one.options));
    Options options = component_options("policy.score", node_);
    score_ = make_score_centroid_window(options);
    options.finish();
  }
  void begin_generation(int64_t rows) override { score_->begin_generation(rows); }

  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    score_->observe(layer_step);
    const at::Tensor scores = score_->score(layer_step);
    const int64_t heads = layer_step.k.size(1);
    KeptIndices kept;
    for (int64_t row = 0; row < layer_step.k.size(0); ++row) {
      std::vector<Line> expected;
      for (int64_t head = 0; head < heads; ++head) {
        expected.push_back(oracle(layer_step, row, head));
      }
      if (case_.layer) {
        Line mean(expected[0].size(), 0.0);
        for (const Line& line : expected) {
          for (std::size_t j = 0; j < mean.size(); ++j) {
            mean[j] += line[j] / static_cast<double>(heads);
          }
        }
        expected.assign(static_cast<std::size_t>(heads), mean);
      }
      for (int64_t head = 0; head < heads; ++head) {
        for (int64_t j = 0; j < std::ssize(expected[head]); ++j) {
          if (!std::isfinite(expected[head][j])) continue;
          EXPECT_NEAR(scores[row][head][j].item<double>(), expected[head][j],
                      3e-5 * (1 + std::abs(expected[head][j])))
              << fmt::format("{}: step {}, row {}, head {}, token {}", case_.name,
                             layer_step.step.index, row, head, j);
          ++compared;
        }
        kept.push_back(some(layer_step, row, head));
        if (case_.layer && !case_.uneven && head > 0) kept.back() = kept[kept.size() - 2];
      }
    }
    score_->settle(layer_step, &kept);
    return kept;
  }
  int64_t compared = 0;

 private:
  [[nodiscard]] double input(const at::Tensor LayerInputs::*what,
                             int64_t position,
                             int64_t row,
                             int64_t head,
                             int64_t channel,
                             const LayerStep& s) const {
    const auto& steps = s.cache->plan().geometry().steps;
    std::size_t step = 0;
    while (step + 1 < steps.size() && steps[step + 1].first_token <= position) ++step;
    const at::Tensor& tensor = inputs_[step][0].*what;
    return tensor[row][head][position - steps[step].first_token][channel].item<double>();
  }

  [[nodiscard]] double query(
      const LayerStep& s, int64_t p, int64_t row, int64_t head, int64_t c) const {
    if (case_.used) return input(&LayerInputs::q, p, row, head, c, s) * kScale;
    const auto& steps = s.cache->plan().geometry().steps;
    std::size_t step = 0;
    while (step + 1 < steps.size() && steps[step + 1].first_token <= p) ++step;
    const at::Tensor hidden = inputs_[step][0].hidden[row][p - steps[step].first_token];
    const at::Tensor weight = s.query_weight[head * s.k.size(3) + c];
    return (hidden.to(at::kDouble) * weight.to(at::kDouble)).sum().item<double>() /
           std::sqrt(static_cast<double>(s.k.size(3)));
  }

  [[nodiscard]] Line oracle(const LayerStep& s, int64_t row, int64_t head) const {
    const std::vector<int64_t> where = positions_of(s, row, head);
    const auto tokens = std::ssize(where);
    const std::vector<int64_t> window = window_of(s.step, case_.centre);
    const int64_t padding = s.cache->padding(row);
    Line sums(where.size(), 0.0);
    for (const int64_t p : window) {
      Line logits(where.size(), kNothing);
      for (int64_t j = 0; j < tokens; ++j) {
        if (p < padding || where[j] < padding) continue;
        if (s.step.kind != StepKind::kScale && where[j] > p) continue;
        logits[j] = 0;
        for (int64_t c = 0; c < s.k.size(3); ++c) {
          logits[j] +=
              query(s, p, row, head, c) * input(&LayerInputs::k, where[j], row, head, c, s);
        }
      }
      const double largest = *std::ranges::max_element(logits);
      double total = 0;
      for (const double x : logits) total += x == kNothing ? 0 : std::exp(x - largest);
      for (int64_t j = 0; j < tokens; ++j) {
        if (logits[j] == kNothing) continue;
        sums[j] += case_.softmax ? std::exp(logits[j] - largest) / total : logits[j];
      }
    }
    const auto in_window = [&](int64_t j) { return std::ranges::count(window, where[j]) > 0; };
    const auto lends = [&](int64_t j) {
      return where[j] >= padding && (case_.counted || !in_window(j));
    };
    Line result(where.size());
    for (int64_t j = 0; j < tokens; ++j) {
      double most = kNothing;
      double total = 0;
      for (int64_t i = j - case_.kernel / 2; i <= j + case_.kernel / 2; ++i) {
        if (i < 0 || i >= tokens || !lends(i)) continue;
        most = std::max(most, sums[i]);
        total += sums[i];
      }
      result[j] = case_.average ? total / static_cast<double>(case_.kernel) : most;
      if (!case_.counted && in_window(j)) result[j] = sums[j];
      if (where[j] < padding) result[j] = kNothing;
    }
    if (case_.past) {
      double least = std::numeric_limits<double>::infinity();
      for (const double x : result) least = std::isfinite(x) ? std::min(least, x) : least;
      const double range = *std::ranges::max_element(result) - least;
      for (int64_t j = tokens - s.step.queries(); j < tokens; ++j) result[j] -= 2 * range;
    }
    return result;
  }

  std::vector<int64_t> some(const LayerStep& s, int64_t row, int64_t head) {
    std::vector<int64_t> all(positions_of(s, row, head).size());
    std::iota(all.begin(), all.end(), 0);
    std::vector<int64_t> kept;
    std::sample(all.begin(), all.end(), std::back_inserter(kept),
                s.cache->plan().kept(s.step.index, s.layer, head), random_);
    return kept;
  }

  Case case_;
  std::vector<std::vector<LayerInputs>> inputs_;  // [steps][1]
  ConfigNode node_;
  std::unique_ptr<Score> score_;
  std::mt19937 random_{3};
};

void run(const Case& one, const std::vector<StepInfo>& steps, bool ragged, bool padded) {
  const CacheGeometry geometry{.layers = 1, .heads = 3, .head_dim = 7, .steps = steps};
  std::vector<LayerHeadTokens> counts;
  std::vector<int64_t> held(3, 0);
  for (const StepInfo& step : steps) {
    for (int64_t head = 0; head < 3; ++head) {
      const int64_t available = held[head] + (step.stored ? step.queries() : 0);
      held[head] = step.stored ? std::min(available, 9 + (ragged ? 4 * head : 0)) : held[head];
    }
    counts.push_back({{held}});
  }
  std::vector<std::vector<LayerInputs>> inputs;
  for (const StepInfo& step : steps) inputs.push_back({layer_inputs(geometry, step, 0, {4, 9})});
  KvCache cache(Plan(geometry, counts), 2, at::kCPU);
  if (padded) cache.set_padding({3, 0});
  Check check(one, inputs);
  AttentionContext context{.cache = cache, .controller = &check};
  check.begin_generation(2);
  for (const StepInfo& step : steps) {
    const LayerInputs& in = inputs[step.index][0];
    attend(context, in.at(step, 0, kScale));
  }
  EXPECT_GT(check.compared, 300) << one.name;
}

std::vector<Case> cases() {
  return {
      {.name = "released"},
      {.name = "softmax", .options = ", softmax: all", .softmax = true},
      {.name = "used", .options = ", query: used", .used = true},
      {.name = "average", .options = ", pool: average", .average = true},
      {.name = "kernel", .options = ", kernel: 9", .kernel = 9},
      {.name = "counted", .options = ", pooled_window: counted", .counted = true},
      {.name = "past", .options = ", candidates: past", .past = true},
      {.name = "lower_right", .options = ", centre: lower_right", .centre = "lower_right"},
      {.name = "spread", .options = ", centre: spread", .centre = "spread"},
      {.name = "layer", .options = ", granularity: layer", .layer = true},
      {.name = "paper",
       .options = ", query: used, softmax: all, pool: average, pooled_window: counted, "
                  "centre: spread, granularity: layer",
       .used = true,
       .softmax = true,
       .average = true,
       .counted = true,
       .layer = true,
       .centre = "spread"},
  };
}

TEST(CentroidWindow, EqualsItsDefinitionOnScales) {
  for (const Case& one : cases()) {
    run(one, next_scale_steps({{1, 5}, {2, 3}, {5, 4}, {4, 9}, {6, 7}, {5, 5}}), !one.layer, false);
  }
}

TEST(CentroidWindow, EqualsItsDefinitionOnTokensOfPaddedRows) {
  for (const Case& one : cases()) run(one, next_token_steps(7, 14), !one.layer, true);
}

TEST(CentroidWindow, TellsWhichOptionIsWrong) {
  const auto refuses = [](const std::string& options, const std::string& part) {
    const ConfigNode node = yaml(fmt::format("{{name: centroid_window, {}}}", options));
    try {
      Options read = component_options("policy.score", node);
      make_score_centroid_window(read);
      FAIL() << options;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuses("query: row", "'raw'");
  refuses("kernel: 4", "nearest feasible: 5");
  refuses("centre: upper_lift", "'upper_left'");
}

TEST(CentroidWindow, OneChoiceForALayerNeedsHeadsOfOneLength) {
  EXPECT_THROW(
      run({.name = "layer", .options = ", granularity: layer", .layer = true, .uneven = true},
          next_scale_steps({{3, 3}, {4, 4}, {4, 4}, {2, 2}}), true, false),
      Error);
}

}  // namespace
}  // namespace kvscope
