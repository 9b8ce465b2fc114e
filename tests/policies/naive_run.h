#pragma once

// A policy against a rule written in plain double loops: the same made-up inputs, tokens named by
// their positions, attention by its definition.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <tuple>
#include <vector>

#include "policy_run.h"

namespace kvscope {

/// What a rule sees of one (layer, row, head) at a step.
struct NaiveView {
  const CacheGeometry& geometry;
  const StepInfo& step;
  int64_t layer;
  int64_t row;
  int64_t head;
  std::vector<int64_t> tokens;  // positions held, the step's own included, ascending
  int64_t count;                // tokens the plan keeps
  /// Attention of the query at a position on each of `tokens`; later tokens are hidden unless they
  /// belong to the same scale.
  std::function<std::vector<double>(int64_t)> attention;

  [[nodiscard]] const StepInfo& writer(int64_t position) const {
    const auto later = [](int64_t at, const StepInfo& one) { return at < one.first_token; };
    return *std::prev(
        std::upper_bound(geometry.steps.begin(), geometry.steps.end(), position, later));
  }
};

/// `count` of the view's tokens: those in `forced`, then the largest scores, earlier ones first
/// among equals; positions, ascending.
inline std::vector<int64_t> naive_best(const NaiveView& view,
                                       const std::vector<double>& scores,
                                       const std::function<bool(int64_t)>& forced) {
  std::vector<std::size_t> order(view.tokens.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const bool first = forced(view.tokens[a]);
    const bool second = forced(view.tokens[b]);
    return first != second ? first : scores[a] > scores[b];
  });
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < view.count; ++i) kept.push_back(view.tokens[order[i]]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// Called at every stored step, with or without an eviction; its answer counts where something is
/// dropped.
using NaiveRule = std::function<std::vector<int64_t>(const NaiveView&)>;

/// Keys and queries of every position of a (layer, row, head) in double.
class NaiveInputs {
 public:
  void add(const LayerInputs& inputs, const StepInfo& step, int64_t row, int64_t head) {
    for (int64_t i = 0; i < step.queries(); ++i) {
      keys_.push_back(line(inputs.k[row][head][i]));
      queries_.push_back(line(inputs.q[row][head][i]));
    }
  }
  [[nodiscard]] std::vector<double> attention(const std::vector<int64_t>& tokens,
                                              int64_t query,
                                              int64_t last_seen,
                                              double softmax_scale) const {
    std::vector<double> weights;
    double largest = -INFINITY;
    for (const int64_t token : tokens) {
      const auto& key = keys_[token];
      const double dot = std::inner_product(key.begin(), key.end(), queries_[query].begin(), 0.0);
      weights.push_back(token <= last_seen ? dot * softmax_scale : -INFINITY);
      largest = std::max(largest, weights.back());
    }
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - largest);
    for (double& weight : weights) weight /= total;
    return weights;
  }

 private:
  static std::vector<double> line(const at::Tensor& tensor) {
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    const auto* first = values.const_data_ptr<double>();
    return {first, first + values.numel()};
  }

  std::vector<std::vector<double>> keys_;
  std::vector<std::vector<double>> queries_;
};

/// Runs the policy, then the rule, and compares what every (step, layer, row, head) keeps. Returns
/// how many evictions were compared.
inline int64_t expect_same_as_naive(Policy& policy,
                                    const CacheGeometry& geometry,
                                    const Budget& budget,
                                    const std::vector<int64_t>& rows,
                                    const NaiveRule& rule) {
  constexpr double kSoftmaxScale = 0.4;  // run_policy's
  const Plan plan = policy.plan(geometry, budget);
  const std::vector<Decision> decisions = run_policy(policy, plan, rows);
  using HeadKey = std::tuple<int64_t, int64_t, int64_t>;  // layer, row, head
  std::map<HeadKey, NaiveInputs> inputs;
  std::map<HeadKey, std::vector<int64_t>> held;
  auto decision = decisions.begin();
  int64_t evictions = 0;
  for (const StepInfo& step : geometry.steps) {
    if (!step.stored) continue;
    for (int64_t layer = 0; layer < geometry.layers; ++layer, ++decision) {
      const LayerInputs made = layer_inputs(geometry, step, layer, rows);
      for (int64_t slot = 0; slot < std::ssize(rows) * geometry.heads; ++slot) {
        const int64_t row = slot / geometry.heads;
        const int64_t head = slot % geometry.heads;
        const HeadKey key{layer, row, head};
        NaiveInputs& known = inputs[key];
        std::vector<int64_t>& tokens = held[key];
        known.add(made, step, row, head);
        for (int64_t i = 0; i < step.queries(); ++i) tokens.push_back(step.first_token + i);
        const auto attention = [&](int64_t query) {
          const bool all = step.kind == StepKind::kScale;
          return known.attention(tokens, query, all ? tokens.back() : query, kSoftmaxScale);
        };
        const std::vector<int64_t> expected = rule({.geometry = geometry,
                                                    .step = step,
                                                    .layer = layer,
                                                    .row = row,
                                                    .head = head,
                                                    .tokens = tokens,
                                                    .count = plan.kept(step.index, layer, head),
                                                    .attention = attention});
        if (!decision->kept) continue;
        const std::vector<int64_t>& kept = decision->positions[static_cast<std::size_t>(slot)];
        EXPECT_EQ(kept, expected) << fmt::format("step {}, layer {}, row {}, head {}", step.index,
                                                 layer, row, head);
        evictions += kept.size() < tokens.size() ? 1 : 0;
        tokens = kept;
      }
    }
  }
  return evictions;
}

}  // namespace kvscope
