#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// One layer's step of a generation as a naive observer saw it. Keys are those of all tokens up to
/// the step's last, in the order of generation; numbers are in double.
struct NaiveStep {
  at::Tensor weights{};  ///< [rows, heads, group, queries, keys] attention; padding pays nothing
  at::Tensor sees{};     ///< [rows, heads, queries, keys] bool
  at::Tensor held{};     ///< [rows, heads, keys] bool: not dropped, and no padding
  at::Tensor q{};        ///< [rows, heads, group, queries, head_dim]
  at::Tensor k{};        ///< [rows, heads, queries, head_dim]
  at::Tensor v{};        ///< likewise
  at::Tensor hidden{};   ///< [rows, queries, width]
};

/// What a layer's step sees of the tokens `held` by the cache before it, all of them or those of
/// `attended`, and what it pays to each: a softmax in double over all keys in the order of
/// generation. `q` [rows, heads, group, queries, head_dim], `all_keys` [rows, heads, tokens,
/// head_dim], both in double.
inline NaiveStep naive_step(const KvCache& cache,
                            const KeptIndices* attended,
                            const StepInfo& step,
                            int64_t layer,
                            const at::Tensor& q,
                            const at::Tensor& all_keys,
                            double scale) {
  const int64_t rows = q.size(0);
  const int64_t heads = q.size(1);
  const int64_t tokens = all_keys.size(2);
  NaiveStep seen{.q = q};
  seen.held = at::zeros({rows, heads, tokens}, at::kBool);
  seen.sees = at::zeros({rows, heads, step.queries(), tokens}, at::kBool);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t unseen = cache.padding(row);
    for (int64_t head = 0; head < heads; ++head) {
      const std::vector<int64_t> held = cache.positions(layer, row, head);
      for (const int64_t position : held) seen.held[row][head][position] = position >= unseen;
      seen.held[row][head].narrow(0, step.first_token, step.queries()).fill_(true);
      seen.held[row][head].narrow(0, 0, std::min(unseen, tokens)).fill_(false);
      at::Tensor visible = seen.held[row][head].clone();
      if (attended != nullptr) {
        for (const int64_t position : held) visible[position] = false;
        for (const int64_t index : (*attended)[static_cast<size_t>(row * heads + head)]) {
          const int64_t position = held[static_cast<size_t>(index)];
          visible[position] = position >= unseen;
        }
      }
      for (int64_t query = 0; query < step.queries(); ++query) {
        if (step.first_token + query < unseen) continue;
        at::Tensor line = seen.sees[row][head][query];
        line.copy_(visible);
        if (step.kind == StepKind::kPrefill) line.slice(0, query + 1).fill_(false);
      }
    }
  }
  const at::Tensor scores = at::matmul(q, all_keys.unsqueeze(2).transpose(3, 4)) * scale;
  seen.weights = at::softmax(scores.masked_fill(seen.sees.unsqueeze(2).logical_not(), -INFINITY),
                             -1)
                     .nan_to_num(0)  // of a query that sees nothing
                     .contiguous();
  return seen;
}

/// Watches a generation of any model as the oracles need it.
class NaiveObserver : public AttentionObserver {
 public:
  void begin_generation(int64_t /*rows*/) override {
    generation.clear();
    keys_.clear();
  }

  void observe(const LayerStep& s) override {
    const auto layer = static_cast<size_t>(s.layer);
    if (s.layer == 0) generation.emplace_back();
    if (keys_.size() <= layer) keys_.resize(layer + 1);
    keys_[layer].push_back(s.k.to(at::kDouble));
    NaiveStep seen = naive_step(*s.cache, s.attended.get(), s.step, s.layer,
                                s.q.to(at::kDouble).unflatten(1, {s.k.size(1), s.group()}),
                                at::cat(keys_[layer], 2), s.softmax_scale);
    seen.k = keys_[layer].back();
    seen.v = s.v.to(at::kDouble);
    seen.hidden = s.hidden.to(at::kDouble);
    generation.back().push_back(std::move(seen));
    scale = s.softmax_scale;
    if (s.step.kind == StepKind::kPrefill && s.layer == 0) {
      padding.clear();
      for (int64_t row = 0; row < s.k.size(0); ++row) padding.push_back(s.cache->padding(row));
    }
  }

  std::vector<std::vector<NaiveStep>> generation{};  ///< [step that attends][layer]
  std::vector<int64_t> padding{};                    ///< [rows]; empty without a prefill
  double scale = 1;                                  ///< of the softmax

 private:
  std::vector<std::vector<at::Tensor>> keys_;  // [layers][steps]
};

}  // namespace kvscope
