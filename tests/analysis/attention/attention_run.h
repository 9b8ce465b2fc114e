#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/attention_recorder.h"
#include "core/engine/attend.h"
#include "tests/analysis/attention/naive_step.h"

namespace kvscope {

/// What a parametrised test of a statistic is called.
inline std::string test_name(std::string statistic) {
  std::ranges::replace(statistic, '.', '_');
  return statistic;
}

/// Drops one token in `drop_one_in` of each head's [history | current], other ones in other heads;
/// 0 keeps all. Where it `masks`, a step does not see every third of the tokens held.
class DroppingController : public CacheController {
 public:
  DroppingController(int64_t drop_one_in, bool masks) : drop_one_in_(drop_one_in), masks_(masks) {}

  /// Kept of `all`.
  [[nodiscard]] static int64_t kept(int64_t all, int64_t head, int64_t drop_one_in) {
    const int64_t first = (head + 1) % drop_one_in;
    return all <= first ? all : all - (all - first + drop_one_in - 1) / drop_one_in;
  }

  void begin_generation(int64_t /*rows*/) override {}

  [[nodiscard]] Reading read(const KvCache& cache,
                             const StepInfo& /*step*/,
                             int64_t layer) const override {
    if (!masks_) return {};
    auto seen = std::make_shared<KeptIndices>();
    for (int64_t row = 0; row < cache.rows(); ++row) {
      for (int64_t head = 0; head < cache.plan().geometry().heads; ++head) {
        seen->emplace_back();
        for (int64_t j = 0; j < cache.length(layer, row, head); ++j) {
          if (j % 3 != (head + 1) % 3) seen->back().push_back(j);
        }
      }
    }
    return {.tokens = std::move(seen)};
  }

  std::optional<KeptIndices> decide(const LayerStep& s) override {
    if (drop_one_in_ == 0) return std::nullopt;
    KeptIndices kept;
    for (int64_t slot = 0; slot < s.k.size(0) * s.k.size(1); ++slot) {
      const int64_t head = slot % s.k.size(1);
      const int64_t all = s.cache->length(s.layer, slot / s.k.size(1), head) + s.step.queries();
      const int64_t count = s.cache->plan().kept(s.step.index, s.layer, head);
      kept.emplace_back();
      for (int64_t j = 0; j < all && std::ssize(kept.back()) < count; ++j) {
        if (j % drop_one_in_ != (head + 1) % drop_one_in_) kept.back().push_back(j);
      }
    }
    return kept;
  }

 private:
  int64_t drop_one_in_;
  bool masks_;
};

/// A random generation through attend(), and what a naive observer in double would have recorded.
struct AttentionRun {
  int64_t rows = 4;
  int64_t layers = 3;
  int64_t heads = 3;
  int64_t head_dim = 24;
  double scale = 0.7;
  bool drops = false;
  int64_t drop_one_in = 2;
  bool masks = false;
  int64_t line_tokens = 0;
  std::vector<int64_t> padding{};  ///< [rows drawn] of a prefill; empty: none
  /// Numbers are drawn for so many rows, of which `rows` from first_row on, row_stride apart, are
  /// run; 0: for `rows`.
  int64_t drawn_rows = 0;
  int64_t first_row = 0;
  int64_t row_stride = 1;
  std::vector<StepInfo> steps = next_scale_steps({{1, 1}, {2, 2}, {3, 4}, {5, 5}});
  int64_t group = 1;  // query heads per head

  /// [step][layer]: softmax over all keys in the order of generation [rows, heads, group * queries,
  /// K], dropped keys 0.
  std::vector<std::vector<at::Tensor>> weights{};
  std::vector<std::vector<NaiveStep>> naive_steps{};  ///< [step that attends][layer]
  /// [rows] made-up agreements with the images of a full cache.
  std::vector<std::vector<StepAgreement>> agreements{};

  [[nodiscard]] Plan plan() const {
    const CacheGeometry geometry{.layers = layers,
                                 .heads = heads,
                                 .head_dim = head_dim,
                                 .steps = steps,
                                 .line_tokens = line_tokens,
                                 .query_heads = heads * group};
    if (!drops) return full_plan(geometry);
    std::vector<LayerHeadTokens> kept;
    std::vector<int64_t> held(static_cast<size_t>(heads), 0);
    for (const StepInfo& step : steps) {
      if (step.stored) {
        for (int64_t head = 0; head < heads; ++head) {
          const int64_t all = held[head] + step.queries();
          held[head] = DroppingController::kept(all, head, drop_one_in);
        }
      }
      kept.emplace_back(std::vector(static_cast<size_t>(layers), held));
    }
    return {geometry, kept};
  }

  void generate(AttentionObserver& observer, uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    const auto random = [&](int64_t queries, int64_t each = 1) {
      return taken(at::randn({drawn(), heads * each, queries, head_dim}, generator));
    };
    at::Generator of_hidden = at::detail::createCPUGenerator(seed + 1000);
    KvCache cache(plan(), rows, at::kCPU);
    DroppingController controller(drops ? drop_one_in : 0, masks);
    AttentionContext context{.cache = cache, .observers = {&observer}};
    if (drops || masks) context.controller = &controller;
    if (!padding.empty()) {
      std::vector<int64_t> of_rows;
      for (int64_t row = 0; row < rows; ++row) of_rows.push_back(padding_of(row));
      cache.set_padding(of_rows);
    }
    auto* recorder = dynamic_cast<AttentionRecorder*>(&observer);
    const int64_t images_before = recorder == nullptr ? 0 : recorder->images();
    observer.begin_generation(rows);
    weights.clear();
    naive_steps.clear();
    std::vector<std::vector<at::Tensor>> keys(static_cast<size_t>(layers));
    for (int64_t index = 0; index <= last_attending_step(steps); ++index) {
      const StepInfo& step = steps[static_cast<size_t>(index)];
      weights.emplace_back();
      naive_steps.emplace_back();
      for (int64_t layer = 0; layer < layers; ++layer) {
        const at::Tensor q = random(step.queries(), group) * (1.0 + static_cast<double>(layer));
        const at::Tensor k = random(step.queries());
        keys[layer].push_back(k);
        NaiveStep seen = naive(cache, controller, step, layer, q, at::cat(keys[layer], 2));
        const at::Tensor v = random(step.queries());
        const at::Tensor hidden = taken(at::randn({drawn(), step.queries(), width()}, of_hidden));
        seen.k = k.to(at::kDouble);
        seen.v = v.to(at::kDouble);
        seen.hidden = hidden.to(at::kDouble);
        weights.back().push_back(seen.weights.flatten(2, 3));
        naive_steps.back().push_back(std::move(seen));
        attend(context, {.step = step,
                         .layer = layer,
                         .q = q,
                         .k = k,
                         .v = v,
                         .softmax_scale = scale,
                         .hidden = hidden});
      }
    }
    make_up_agreements(seed);
    if (recorder == nullptr) return;
    recorder->add_agreements(
        std::span(agreements).first(static_cast<size_t>(recorder->images() - images_before)));
  }

  /// Channels of the hidden states.
  [[nodiscard]] int64_t width() const { return heads * group * head_dim; }

  [[nodiscard]] int64_t padding_of(int64_t row) const {
    return padding.empty() ? 0 : padding[static_cast<size_t>(first_row + row * row_stride)];
  }

 private:
  void make_up_agreements(uint64_t seed) {
    agreements.clear();
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<StepAgreement>& of_row = agreements.emplace_back();
      const auto drawn_row = static_cast<uint64_t>(first_row + row * row_stride);
      for (const StepInfo& step : steps) {
        const auto salt = (seed * 31 + drawn_row) * 17 + static_cast<uint64_t>(step.index);
        const int64_t values = 2 * step.queries();
        of_row.push_back({.values = values, .differing = static_cast<int64_t>(salt % 3) % values});
      }
    }
  }

  [[nodiscard]] int64_t drawn() const { return drawn_rows > 0 ? drawn_rows : rows; }

  [[nodiscard]] at::Tensor taken(const at::Tensor& all) const {
    return all.slice(0, first_row, first_row + rows * row_stride, row_stride).contiguous();
  }

  [[nodiscard]] NaiveStep naive(const KvCache& cache,
                                const DroppingController& controller,
                                const StepInfo& step,
                                int64_t layer,
                                const at::Tensor& q,
                                const at::Tensor& all_keys) const {
    const Reading reading = controller.read(cache, step, layer);
    return naive_step(cache, reading.tokens.get(), step, layer,
                      q.to(at::kDouble).unflatten(1, {heads, group}), all_keys.to(at::kDouble),
                      scale);
  }
};

}  // namespace kvscope
