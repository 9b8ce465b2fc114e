#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// How much attention every held token has received so far, of each (layer, row, head): H2O's
/// accumulated score (Zhang et al., arXiv:2306.14048),
///   S_j += sum_i softmax_i[j] over the queries i of every step, of all query heads of the group,
/// with the attention that was really used, over the tokens that were held then. A token that is
/// dropped takes its sum with it. Padding receives and pays nothing.
class AttentionSums {
 public:
  /// Forgets every sum.
  void begin_generation();
  /// Adds the step's attention. Call it once for every layer of every step.
  void observe(const LayerStep& layer_step);
  /// Drops what the layer no longer holds: `kept` indices into [history | current step], or null
  /// for everything. Call it after observe().
  void settle(const LayerStep& layer_step, const KeptIndices* kept);

  /// Between observe() and settle(): [rows, heads, tokens] fp32 over [history | current step],
  /// tokens of the longest head; 0 beyond a head's tokens. Throws Error(kAudit) where the layer's
  /// current step was not observed.
  [[nodiscard]] at::Tensor sums(const LayerStep& layer_step) const;
  /// After settle(): the sums of the tokens that the layer holds, packed slot by slot.
  [[nodiscard]] const at::Tensor& held(int64_t layer) const;

  /// Bytes of all sums.
  [[nodiscard]] int64_t state_bytes() const;

 private:
  struct LayerSums {
    at::Tensor packed;           // fp32, slot by slot: of [history | current], or of the history
    int64_t observed_step = -1;  // whose tokens `packed` includes and settle() has not seen
  };

  std::vector<LayerSums> layers_;
};

/// How many queries, of all query heads of the group, saw each token of [history | current step]
/// until the end of the current step: [rows, heads, tokens] fp32, at least 1. A scale's tokens are
/// seen by all queries of their step, a prefill's by themselves and what follows; nothing before a
/// token sees it, so padding, which is at the beginning, does not count.
at::Tensor queries_that_saw(const LayerStep& layer_step);

}  // namespace kvscope
