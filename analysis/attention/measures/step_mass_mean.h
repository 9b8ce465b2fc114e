#pragma once

#include <cstdint>

#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {

/// The rows of an image under classifier-free guidance.
enum class GuidanceRow : uint8_t { kConditional, kUnconditional };

/// Mean over the queries of step s (third axis) of the mass on the tokens of step t (fourth); the
/// masses of one (layer, head, step) sum to 1.
class StepMassMean : public MeanOfImages {
 public:
  explicit StepMassMean(GuidanceRow row) : row_(row) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  GuidanceRow row_;
};

}  // namespace kvscope
