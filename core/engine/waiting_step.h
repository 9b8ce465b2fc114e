#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/layer_step.h"

namespace kvscope {

/// The layers of a step that have attended and are not stored yet (EvictionTiming::kPerStep).
class WaitingStep {
 public:
  /// Takes over what a decision about the layer looks at; k and v are copied, next to those of the
  /// other layers. Layers come in their order, and layer 0 begins a step. Throws Error(kAudit)
  /// otherwise.
  void add(LayerStep layer_step);
  /// Whether all layers are there.
  [[nodiscard]] bool is_complete() const;
  /// Those that are, as a controller looks at them: a view until the next add() or clear().
  [[nodiscard]] std::span<const LayerStep> layers() const { return layers_; }
  /// [layers, rows, heads, queries, head_dim]
  [[nodiscard]] const at::Tensor& k() const { return k_; }
  [[nodiscard]] const at::Tensor& v() const { return v_; }
  /// Of k and v.
  [[nodiscard]] int64_t bytes() const;
  void clear();

 private:
  at::Tensor k_;
  at::Tensor v_;
  std::vector<LayerStep> layers_;
};

}  // namespace kvscope
