#pragma once

#include <cstdint>
#include <string>

#include "analysis/attention/measures/mean_statistics.h"
#include "policies/signals/cake_scores.h"

namespace kvscope {

/// One number of the spread of what the last queries of a generation pay to everything before them,
/// by layer, summed over queries or keys, and heads. CAKE (arXiv:2503.12491) measures it on a
/// prompt; an image's counterpart of a finished prompt is its last step.
class WindowSpread : public MeanOfImages {
 public:
  using Number = double AttentionSpread::*;

  WindowSpread(Number number, std::string unit, int64_t queries);

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  Number number_;
  std::string unit_;
  int64_t queries_;
};

}  // namespace kvscope
