#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// How differently the queries of the last scale look, by head (mean over its query heads): the
/// variance over queries of the attention that a key receives, summed over keys. Low where all
/// queries look at the same keys (vertical lines in the map), which makes a head contextual (HACK,
/// arXiv:2504.09261).
class QueryVariance {
 public:
  /// Adds the first `rows` rows of a layer's step; only the last step of a next-scale model counts.
  void add(const LayerStep& layer_step, int64_t rows);

  /// Sums over rows, [layers][heads]; empty where no such step was added.
  [[nodiscard]] const std::vector<double>& sums() const { return sums_; }

 private:
  std::vector<double> sums_;
};

}  // namespace kvscope
