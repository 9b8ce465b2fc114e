#pragma once

#include <cstdint>

#include "analysis/attention/statistic.h"

namespace kvscope {

/// The rows of an image under classifier-free guidance.
enum class GuidanceRow : uint8_t { kConditional, kUnconditional };

/// Mean over the queries of step s (third axis) of the mass on the tokens of step t (fourth); the
/// masses of one (layer, head, step) sum to 1.
class StepMassMean : public AttentionStatistic {
 public:
  explicit StepMassMean(GuidanceRow row) : row_(row) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;
  [[nodiscard]] NamedArray finish(int64_t images) const override;
  [[nodiscard]] std::vector<std::span<double>> sums() override { return {sums_.values}; }

 private:
  GuidanceRow row_;
  NamedArray sums_;
};

}  // namespace kvscope
