#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// What the conditional rows of a generation would attend to, had nothing of their past been lost:
/// keys and values of all of their tokens, as they came, are kept in a full cache beside that of
/// whatever policy, and each step attends to both. So both see the same tokens and the same hidden
/// states, and what differs is what the policy lost in this very layer.
///
/// Takes the memory of a full cache of these rows, and the time of attending with it.
class FullAttention {
 public:
  /// Attends with the first `images` rows of a layer's step. Call it for every step of a layer, in
  /// order, from the first one on. For one generation.
  void observe(const LayerStep& layer_step, int64_t images);

  /// Of the layer's step observed last: what every token of the generation received from all
  /// queries of the step, the mean over a head's query heads; one number a position.
  [[nodiscard]] std::span<const float> column_sums(int64_t image, int64_t head) const;
  /// Likewise [images, query heads, queries, head_dim] fp32 on the step's device.
  [[nodiscard]] const at::Tensor& outputs() const { return outputs_; }

 private:
  class Columns;

  std::unique_ptr<KvCache> cache_;
  int64_t heads_ = 0;
  std::vector<std::vector<float>> columns_;  // [images * heads]
  at::Tensor outputs_;
};

}  // namespace kvscope
