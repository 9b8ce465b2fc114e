#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "analysis/attention/attention_recorder.h"
#include "core/engine/attend.h"

namespace kvscope {

/// Drops every second token of each head's [history | current], a different one in odd heads.
class KeepEverySecond : public CacheController {
 public:
  void begin_generation(int64_t /*rows*/) override {}
  std::optional<KeptIndices> decide(const LayerStep& s) override {
    KeptIndices kept;
    for (int64_t slot = 0; slot < s.k.size(0) * s.k.size(1); ++slot) {
      const int64_t head = slot % s.k.size(1);
      const int64_t all = s.cache->length(s.layer, slot / s.k.size(1), head) + s.step.queries();
      const int64_t count = s.cache->plan().kept(s.step.index, s.layer, head);
      kept.emplace_back();
      for (int64_t j = head % 2; j < all && std::ssize(kept.back()) < count; j += 2) {
        kept.back().push_back(j);
      }
    }
    return kept;
  }
};

/// A random generation through attend(), and what a naive observer in double would have recorded.
struct AttentionRun {
  int64_t rows = 4;
  int64_t layers = 3;
  int64_t heads = 3;
  int64_t head_dim = 24;
  double scale = 0.7;
  bool drops = false;
  int64_t line_tokens = 0;
  /// Numbers are drawn for so many rows, of which `rows` from first_row on are run; 0: for `rows`.
  int64_t drawn_rows = 0;
  int64_t first_row = 0;
  std::vector<StepInfo> steps = next_scale_steps({{1, 1}, {2, 2}, {3, 4}, {5, 5}});
  int64_t group = 1;  // query heads per head

  /// [step][layer]: softmax over all keys in the order of generation [rows, heads, group * queries,
  /// K], dropped keys 0.
  std::vector<std::vector<at::Tensor>> weights{};

  [[nodiscard]] Plan plan() const {
    const CacheGeometry geometry{.layers = layers,
                                 .heads = heads,
                                 .head_dim = head_dim,
                                 .steps = steps,
                                 .line_tokens = line_tokens,
                                 .query_heads = heads * group};
    if (!drops) return full_plan(geometry);
    std::vector<std::vector<std::vector<int64_t>>> kept;
    std::vector<int64_t> held(static_cast<size_t>(heads), 0);
    for (const StepInfo& step : steps) {
      if (step.stored) {
        for (int64_t head = 0; head < heads; ++head) {
          const int64_t all = held[head] + step.queries();
          held[head] = (all - head % 2 + 1) / 2;
        }
      }
      kept.emplace_back(static_cast<size_t>(layers), held);
    }
    return {geometry, kept};
  }

  void generate(AttentionObserver& observer, uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    const auto random = [&](int64_t queries, int64_t each = 1) {
      return at::randn({drawn_rows > 0 ? drawn_rows : rows, heads * each, queries, head_dim},
                       generator)
          .narrow(0, first_row, rows)
          .contiguous();
    };
    KvCache cache(plan(), rows, at::kCPU);
    KeepEverySecond controller;
    AttentionContext context{.cache = cache, .observers = {&observer}};
    if (drops) context.controller = &controller;
    observer.begin_generation(rows);
    weights.clear();
    std::vector<std::vector<at::Tensor>> keys(static_cast<size_t>(layers));
    for (const StepInfo& step : steps) {
      weights.emplace_back();
      for (int64_t layer = 0; layer < layers; ++layer) {
        const at::Tensor q = random(step.queries(), group) * (1.0 + static_cast<double>(layer));
        const at::Tensor k = random(step.queries());
        keys[layer].push_back(k);
        weights.back().push_back(naive(cache, step, layer, q, at::cat(keys[layer], 2)));
        attend(context, {.step = step,
                         .layer = layer,
                         .q = q,
                         .k = k,
                         .v = random(step.queries()),
                         .softmax_scale = scale});
      }
    }
  }

 private:
  [[nodiscard]] at::Tensor naive(const KvCache& cache,
                                 const StepInfo& step,
                                 int64_t layer,
                                 const at::Tensor& q,
                                 const at::Tensor& all_keys) const {
    const at::Tensor of_heads = q.to(at::kDouble).unflatten(1, {heads, group}).flatten(2, 3);
    at::Tensor scores = at::matmul(of_heads, all_keys.to(at::kDouble).transpose(2, 3)) * scale;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t head = 0; head < heads; ++head) {
        at::Tensor hidden = at::ones({all_keys.size(2)}, at::kBool);
        hidden.narrow(0, step.first_token, step.queries()).fill_(false);
        for (const int64_t position : cache.positions(layer, row, head)) hidden[position] = false;
        scores[row][head].masked_fill_(hidden, -INFINITY);
      }
    }
    return at::softmax(scores, -1);
  }
};

}  // namespace kvscope
