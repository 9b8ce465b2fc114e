#include "analysis/attention/window_spread.h"

#include <ATen/ATen.h>

#include "policies/score/cake_scores.h"
#include "policies/score/packed_rows.h"

namespace kvscope {

WindowSpread::WindowSpread(int64_t window) : window_(window), queries_(window) {}

void WindowSpread::observe(const LayerStep& layer_step, int64_t rows) {
  queries_.observe(layer_step);
  const auto& steps = layer_step.cache.plan().geometry().steps;
  if (layer_step.step.index != last_attending_step(steps)) return;
  const at::Tensor in_window =
      positions_mask(layer_step, queries_.positions(layer_step, window_)) | absent_mask(layer_step);
  const at::Tensor logits = by_query_head(layer_step, queries_.logits(layer_step, window_));
  const AttentionSpread spread =
      attention_spread(logits.narrow(0, 0, rows), in_window.unsqueeze(2).narrow(0, 0, rows));
  const auto layer = static_cast<size_t>(layer_step.layer);
  if (entropy_.size() <= layer) {
    entropy_.resize(layer + 1, 0.0);
    variance_.resize(layer + 1, 0.0);
  }
  entropy_[layer] += spread.entropy;
  variance_[layer] += spread.variance;
}

}  // namespace kvscope
