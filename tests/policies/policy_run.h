#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config/yaml.h"
#include "core/engine/attend.h"
#include "core/engine/kv_cache.h"
#include "core/engine/kv_memory.h"
#include "policies/policy.h"
#include "policies/registry.h"

namespace kvscope {

/// What one layer of a made-up model feeds into the cache at one step. Rows are made each from its
/// own seed, so that a row is the same in any batch.
struct LayerInputs {
  at::Tensor q;             // [rows, query heads, queries, head_dim]
  at::Tensor k, v;          // [rows, heads, queries, head_dim]
  at::Tensor hidden;        // [rows, queries, width]
  at::Tensor query_weight;  // [query heads * head_dim, width]

  /// As a model hands them over.
  [[nodiscard]] AttentionInputs at(const StepInfo& step,
                                   int64_t layer,
                                   double softmax_scale) const {
    return {.step = step,
            .layer = layer,
            .q = q,
            .k = k,
            .v = v,
            .softmax_scale = softmax_scale,
            .hidden = hidden,
            .query_weight = query_weight};
  }
};

inline LayerInputs layer_inputs(const CacheGeometry& geometry,
                                const StepInfo& step,
                                int64_t layer,
                                const std::vector<int64_t>& rows) {
  constexpr int64_t kWidth = 12;
  std::vector<at::Tensor> q, k, v, hidden;
  for (const int64_t row : rows) {
    auto generator = at::detail::createCPUGenerator(
        static_cast<uint64_t>(1 + row + 100 * layer + 10000 * step.index));
    const auto random = [&](int64_t heads) {
      return at::randn({heads, step.queries(), geometry.head_dim}, generator);
    };
    q.push_back(random(geometry.query_heads));
    k.push_back(random(geometry.heads));
    k.back().view({-1}).slice(0, 0, {}, 13).mul_(3.0);  // a few keys that draw attention
    v.push_back(random(geometry.heads));
    hidden.push_back(at::randn({step.queries(), kWidth}, generator));
  }
  auto generator = at::detail::createCPUGenerator(static_cast<uint64_t>(77 + layer));
  return {.q = at::stack(q),
          .k = at::stack(k),
          .v = at::stack(v),
          .hidden = at::stack(hidden),
          .query_weight = at::randn({geometry.query_heads * geometry.head_dim, kWidth}, generator)};
}

/// The same inputs with head h, and the query heads that read it, taken from head order[h].
inline LayerInputs permuted_heads(const LayerInputs& inputs, const std::vector<int64_t>& order) {
  const at::Tensor index = at::tensor(order, at::kLong);
  const auto heads = static_cast<int64_t>(order.size());
  LayerInputs permuted = inputs;
  permuted.q = inputs.q.unflatten(1, {heads, -1}).index_select(1, index).flatten(1, 2);
  permuted.k = inputs.k.index_select(1, index);
  permuted.v = inputs.v.index_select(1, index);
  permuted.query_weight = inputs.query_weight.view({heads, -1, inputs.query_weight.size(1)})
                              .index_select(0, index)
                              .reshape(inputs.query_weight.sizes());
  return permuted;
}

/// What a model without groups has, its queries once for each query head of a group.
inline LayerInputs inputs_of_groups_alike(const CacheGeometry& geometry,
                                          const StepInfo& step,
                                          int64_t layer,
                                          const std::vector<int64_t>& rows) {
  CacheGeometry single = geometry;
  single.query_heads = single.heads;
  const int64_t group = geometry.query_heads / geometry.heads;
  LayerInputs inputs = layer_inputs(single, step, layer, rows);
  inputs.q = inputs.q.repeat_interleave(group, 1);
  inputs.query_weight = inputs.query_weight.unflatten(0, {geometry.heads, -1})
                            .repeat_interleave(group, 0)
                            .flatten(0, 1);
  return inputs;
}

/// Positions on a line, as 1-D RoPE has them; of channels in pairs.
inline RotationTable line_rotation(const CacheGeometry& geometry) {
  const StepInfo& last = geometry.steps.back();
  const at::Tensor positions = at::arange(last.first_token + last.queries(), at::kFloat);
  const at::Tensor frequency = at::pow(0.5, at::arange(geometry.head_dim / 2, at::kFloat));
  const at::Tensor angles = positions.unsqueeze(1) * frequency;
  return {.cosine = angles.cos(), .sine = angles.sin(), .is_line = true};
}

/// A decision with what it was taken on.
struct Decision {
  int64_t step = 0;
  int64_t layer = 0;
  std::vector<int64_t> available;                  // [rows * heads]
  std::vector<std::vector<uint8_t>> is_protected;  // [rows * heads][available]
  std::optional<KeptIndices> kept;
  std::vector<std::vector<int64_t>> positions;  // [rows * heads] of what is kept, ascending
};

/// Position in the generation of a token of [history | current step], padding counted.
inline int64_t position_of(const LayerStep& layer_step, int64_t row, int64_t head, int64_t token) {
  const auto origins = layer_step.cache->origins(layer_step.layer, row, head);
  const auto held = static_cast<int64_t>(origins.size());
  if (token >= held) return layer_step.step.first_token + token - held;
  return position_of(origins[static_cast<std::size_t>(token)],
                     layer_step.cache->plan().geometry().steps);
}

/// Positions of the tokens that every (row, head) keeps, ascending; empty where all are kept.
inline std::vector<std::vector<int64_t>> positions_kept(const LayerStep& layer_step,
                                                        const std::optional<KeptIndices>& kept) {
  const int64_t heads = layer_step.k.size(1);
  std::vector<std::vector<int64_t>> positions;
  for (std::size_t slot = 0; kept && slot < kept->size(); ++slot) {
    const auto at = static_cast<int64_t>(slot);
    std::vector<int64_t>& of_slot = positions.emplace_back();
    for (const int64_t index : (*kept)[slot]) {
      of_slot.push_back(position_of(layer_step, at / heads, at % heads, index));
    }
    std::ranges::sort(of_slot);
  }
  return positions;
}

/// Passes decisions on and writes them down.
class Witness : public CacheController {
 public:
  explicit Witness(Policy& policy) : policy_(policy) {}
  void begin_generation(int64_t rows) override { policy_.begin_generation(rows); }
  [[nodiscard]] Reading read(const KvCache& cache,
                             const StepInfo& step,
                             int64_t layer) const override {
    return policy_.read(cache, step, layer);
  }
  std::optional<KeptIndices> decide(const LayerStep& layer_step) override {
    Decision decision = before(layer_step);
    note(layer_step, decision, policy_.decide(layer_step));
    return decisions.back().kept;
  }
  std::vector<std::optional<KeptIndices>> decide_step(std::span<const LayerStep> layers) override {
    std::vector<Decision> of_layers;
    for (const LayerStep& layer_step : layers) of_layers.push_back(before(layer_step));
    const auto kept = policy_.decide_step(layers);
    for (std::size_t i = 0; i < layers.size(); ++i) note(layers[i], of_layers[i], kept[i]);
    return kept;
  }
  std::vector<Decision> decisions;

 private:
  [[nodiscard]] Decision before(const LayerStep& layer_step) const {
    Decision decision;
    decision.step = layer_step.step.index;
    decision.layer = layer_step.layer;
    for (int64_t row = 0; row < layer_step.cache->rows(); ++row) {
      for (int64_t head = 0; head < layer_step.k.size(1); ++head) {
        decision.is_protected.push_back(policy_.protection(layer_step, row, head));
        decision.available.push_back(static_cast<int64_t>(decision.is_protected.back().size()));
      }
    }
    return decision;
  }
  void note(const LayerStep& layer_step, Decision decision, std::optional<KeptIndices> kept) {
    decision.positions = positions_kept(layer_step, kept);
    decision.kept = std::move(kept);
    decisions.push_back(std::move(decision));
  }

  Policy& policy_;
};

/// Runs one generation through cache and policy, audited after every step. `head_order` permutes
/// the heads of every layer; empty leaves them. `spoil` that is no number goes into one key and one
/// query of the second step's first layer. `alike`: all query heads of a group ask what the single
/// one of a model without groups asks.
inline std::vector<Decision> run_policy(Policy& policy,
                                        const Plan& plan,
                                        const std::vector<int64_t>& rows,
                                        const std::vector<int64_t>& head_order = {},
                                        double spoil = 0,
                                        EvictionTiming timing = EvictionTiming::kPerLayer,
                                        bool alike = false) {
  const CacheGeometry& geometry = plan.geometry();
  KvCache cache(plan, static_cast<int64_t>(rows.size()), at::kCPU);
  Witness witness(policy);
  witness.begin_generation(cache.rows());
  AttentionContext context{.cache = cache, .controller = &witness, .eviction_timing = timing};
  if (policy.key_positions() == KeyPositions::kInCache) context.rotation = line_rotation(geometry);
  for (const StepInfo& step : geometry.steps) {
    if (step.index > last_attending_step(geometry.steps)) break;  // as in a model: never fed
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      LayerInputs inputs = alike ? inputs_of_groups_alike(geometry, step, layer, rows)
                                 : layer_inputs(geometry, step, layer, rows);
      if (!head_order.empty()) {
        inputs = permuted_heads(inputs, head_order);
      }
      if (!std::isfinite(spoil) && step.index == 1 && layer == 0) {
        inputs.k[0][0][0][0] = spoil;
        inputs.q[0][0][0][0] = spoil;
      }
      attend(context, inputs.at(step, layer, 0.4));
    }
    cache.audit(step.index);
  }
  if (plan.bytes_are_exact()) {
    EXPECT_EQ(context.kv_peak_bytes,
              peak_kv_bytes(plan, cache.rows(), policy.kv_transients(plan, timing)));
  }
  return witness.decisions;
}

inline ConfigNode yaml(const std::string& text) {
  return load_yaml_text(text, "test");
}

/// A component by itself, as a policy's only unusual one.
inline std::unique_ptr<Policy> policy_from(const std::string& text) {
  return make_policy(yaml(text));
}

}  // namespace kvscope
