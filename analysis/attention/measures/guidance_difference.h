#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {

/// Squared difference, summed over channels, of what a token's conditional and unconditional row
/// have in the cache, mean over images. Of Janus-Pro, keys and values together, it peaks at the
/// left margin of the image: the semantic sinks of SSD (arXiv:2510.18716). Tokens that are padding
/// in either row do not count.
class GuidanceDifference : public MeanOfSamples {
 public:
  /// LayerStep::k or LayerStep::v.
  explicit GuidanceDifference(at::Tensor LayerStep::*of) : of_(of) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  at::Tensor LayerStep::*of_;
};

}  // namespace kvscope
