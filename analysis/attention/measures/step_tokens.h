#pragma once

#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {

/// A statistic [step] of how the tokens of an image agree with those that a full cache makes of the
/// same prompt and seed. It reads no attention.
class StepTokens : public MeanOfSamples {
 public:
  struct Sample {
    double sum = 0;
    double weight = 0;
  };
  /// Of a step, given whether an earlier one had other tokens.
  using Measure = Sample (*)(const StepAgreement& step, bool differed_before);

  explicit StepTokens(Measure measure) : measure_(measure) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& /*step*/) override {}
  void end_image(std::span<const StepAgreement> agreement) override;

 private:
  Measure measure_;
};

}  // namespace kvscope
