#include "policies/replay.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace kvscope {
namespace {

/// Whether two ascending sets have the same size and differ only in tokens of one and the same
/// score.
bool differ_in_equal_scores(const std::vector<int64_t>& a,
                            const std::vector<int64_t>& b,
                            const at::Tensor& scores) {
  std::vector<int64_t> differing;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                std::back_inserter(differing));
  const auto* values = scores.const_data_ptr<float>();
  const auto tokens = scores.size(0);
  return a.size() == b.size() &&
         std::all_of(differing.begin(), differing.end(), [&](int64_t token) {
           return token >= 0 && token < tokens && values[token] == values[differing.front()];
         });
}

}  // namespace

Replay::Replay(Policy& policy, Recorded recorded)
    : policy_(policy), recorded_(std::move(recorded)) {
  policy_.keep_order();  // as the recorded decisions do
}

void Replay::begin_generation(int64_t rows) {
  comparisons_.clear();
  policy_.begin_generation(rows);
}

std::optional<KeptIndices> Replay::decide(const LayerStep& layer_step) {
  const auto ours = policy_.decide(layer_step);
  auto theirs = recorded_(layer_step.step.index, layer_step.layer);
  if (!ours && !theirs) {
    return theirs;
  }
  const int64_t row_heads = layer_step.k.size(1);
  DecisionComparison comparison;
  comparison.step = layer_step.step.index;
  comparison.layer = layer_step.layer;
  comparison.heads = layer_step.cache->rows() * row_heads;
  if (ours && theirs && ours->size() == theirs->size()) {
    at::Tensor scores;  // only where a tie must be told from a difference
    for (std::size_t slot = 0; slot < ours->size(); ++slot) {
      const auto& a = (*ours)[slot];
      const auto& b = (*theirs)[slot];
      if (a == b) {
        ++comparison.identical;
        continue;
      }
      if (!scores.defined()) {
        scores = policy_.scores(layer_step).to(at::kCPU, at::kFloat).contiguous();
      }
      const auto index = static_cast<int64_t>(slot);
      if (differ_in_equal_scores(a, b, scores[index / row_heads][index % row_heads])) {
        ++comparison.tied;
      }
    }
  }
  comparisons_.push_back(comparison);
  return theirs;
}

}  // namespace kvscope
