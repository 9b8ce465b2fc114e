#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/attend.h"
#include "policies/score/recent_queries.h"

namespace kvscope {

/// Measures what CAKE's layer preferences are made of (arXiv:2503.12491): entropy and variance of
/// the attention that the last queries of a generation pay to everything before them. The published
/// code measures a prompt; a picture's counterpart of a finished prompt is its last step.
class WindowSpread {
 public:
  /// `window` >= 1 queries; on next-scale models the last ones of the last scale.
  explicit WindowSpread(int64_t window);

  void begin_generation() { queries_.begin_generation(); }
  /// Sees every layer of every step; adds the first `rows` rows at the last one that attends.
  void observe(const LayerStep& layer_step, int64_t rows);

  /// Sums over query heads and rows so far, [layers seen].
  [[nodiscard]] const std::vector<double>& entropy() const { return entropy_; }
  [[nodiscard]] const std::vector<double>& variance() const { return variance_; }

 private:
  int64_t window_;
  RecentQueries queries_;
  std::vector<double> entropy_;
  std::vector<double> variance_;
};

}  // namespace kvscope
