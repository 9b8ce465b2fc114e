#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "../policy_run.h"
#include "core/engine/hole_filling.h"
#include "policies/component.h"

namespace kvscope {

/// Tokens of [history | current step] of a (row, head).
inline int64_t tokens_held(const LayerStep& layer_step, int64_t row, int64_t head) {
  return layer_step.cache->length(layer_step.layer, row, head) + layer_step.step.queries();
}

/// Whether a query of the current step sees a token.
inline bool sees(
    const LayerStep& layer_step, int64_t row, int64_t head, int64_t query, int64_t token) {
  const int64_t padding = layer_step.cache->padding(row);
  const int64_t from = layer_step.step.first_token + query;
  const int64_t to = position_of(layer_step, row, head, token);
  const bool causal = layer_step.step.kind == StepKind::kPrefill;
  return from >= padding && to >= padding && (!causal || to <= from);
}

/// Softmax of one query of the current step over [history | current step] in plain double loops; 0
/// for what it does not see.
inline std::vector<double> oracle_attention(const LayerStep& layer_step,
                                            int64_t row,
                                            int64_t head,
                                            int64_t query) {
  const int64_t tokens = tokens_held(layer_step, row, head);
  const int64_t held = layer_step.cache->length(layer_step.layer, row, head);
  const at::Tensor past = layer_step.cache->keys(layer_step.layer, row, head).to(at::kDouble);
  const at::Tensor current = layer_step.k[row][head].to(at::kDouble);
  const at::Tensor q = layer_step.q[row][head][query].to(at::kDouble);
  std::vector<double> logits(static_cast<std::size_t>(tokens), 0.0);
  double largest = -INFINITY;
  for (int64_t token = 0; token < tokens; ++token) {
    if (!sees(layer_step, row, head, query, token)) continue;
    const at::Tensor key = token < held ? past[token] : current[token - held];
    logits[token] = (q * key).sum().item<double>() * layer_step.softmax_scale;
    largest = std::max(largest, logits[token]);
  }
  double total = 0;
  std::vector<double> weights(logits.size(), 0.0);
  for (int64_t token = 0; token < tokens; ++token) {
    if (!sees(layer_step, row, head, query, token)) continue;
    weights[token] = std::exp(logits[token] - largest);
    total += weights[token];
  }
  for (double& weight : weights) weight = total > 0 ? weight / total : 0;
  return weights;
}

/// Feeds a score as a policy does, lets `check` look between observe() and settle(), and keeps
/// random tokens, as many as the plan says.
class RandomEvictions : public CacheController {
 public:
  using Check = std::function<void(const LayerStep&)>;
  using After = std::function<void(const LayerStep&, const KeptIndices&)>;
  RandomEvictions(Score& score, Check check, After after = {})
      : score_(score), check_(std::move(check)), after_(std::move(after)) {}
  void begin_generation(int64_t rows) override { score_.begin_generation(rows); }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    score_.observe(layer_step);
    check_(layer_step);
    KeptIndices kept;
    bool all = true;
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        std::vector<int64_t> tokens(static_cast<std::size_t>(tokens_held(layer_step, row, head)));
        std::iota(tokens.begin(), tokens.end(), 0);
        const int64_t count =
            layer_step.cache->plan().kept(layer_step.step.index, layer_step.layer, head);
        kept.emplace_back();
        std::sample(tokens.begin(), tokens.end(), std::back_inserter(kept.back()), count, random_);
        all = all && kept.back().size() == tokens.size();
      }
    }
    if (score_.order_free() && !layer_step.cache->keeps_order()) {
      kept = hole_filling(std::move(kept));
    }
    score_.settle(layer_step, all ? nullptr : &kept);
    if (after_) after_(layer_step, kept);
    if (all) return std::nullopt;
    return kept;
  }

 private:
  Score& score_;
  Check check_;
  After after_;
  std::mt19937 random_{11};
};

/// Three heads of unequal length over odd scales: one keeps all for a while.
inline Plan ragged_scales() {
  return Plan({.layers = 1,
               .heads = 3,
               .head_dim = 7,
               .steps = next_scale_steps({{1, 3}, {2, 3}, {5, 4}, {4, 9}, {5, 5}})},
              {{{3, 3, 3}}, {{9, 2, 4}}, {{11, 22, 3}}, {{47, 5, 1}}, {{47, 5, 1}}});
}

/// Likewise over a prompt and single tokens.
inline Plan ragged_tokens() {
  return Plan(
      {.layers = 1, .heads = 3, .head_dim = 5, .steps = next_token_steps(6, 6)},
      {{{6, 6, 6}}, {{7, 4, 7}}, {{8, 5, 7}}, {{5, 6, 7}}, {{6, 3, 7}}, {{7, 4, 2}}, {{7, 4, 2}}});
}

/// Runs a generation of layer 0 through `controller`; `padding` [rows] tokens, empty for none.
inline void run_evictions(CacheController& controller,
                          const Plan& plan,
                          const std::vector<int64_t>& rows,
                          const std::vector<int64_t>& padding = {}) {
  KvCache cache(plan, std::ssize(rows), at::kCPU);
  if (!padding.empty()) cache.set_padding(padding);
  AttentionContext context{
      .cache = cache, .controller = &controller, .row_seeds = {rows.begin(), rows.end()}};
  controller.begin_generation(cache.rows());
  for (const StepInfo& step : plan.geometry().steps) {
    const LayerInputs in = layer_inputs(plan.geometry(), step, 0, rows);
    attend(context, in.at(step, 0, 0.6));
  }
}

/// A component with its options, all of them known.
template <class Slot>
std::unique_ptr<Slot> made_component(MakeComponent<Slot>* make, const std::string& text) {
  const ConfigNode node = yaml(text);
  Options options = component_options("policy.component", node);
  auto component = make(options);
  options.finish();
  return component;
}

}  // namespace kvscope
