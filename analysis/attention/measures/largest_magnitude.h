#pragma once

#include <cstdint>

#include "analysis/attention/statistic.h"

namespace kvscope {

/// Of what the largest magnitude is looked for.
enum class MagnitudeOf : uint8_t { kKeys, kValues, kHidden };
/// Where it is kept: by channel, over all tokens, or by token, over all channels.
enum class MagnitudeBy : uint8_t { kChannel, kToken };

/// Largest absolute value over all images: outlier channels, which are what quantisation stumbles
/// over (KIVI, arXiv:2402.02750), and tokens of massive activations (arXiv:2402.17762). Keys and
/// values as each step adds them, before anything is stored or dropped, keys rotated; hidden states
/// as they enter the query projection. Padding does not count.
class LargestMagnitude : public AttentionStatistic {
 public:
  LargestMagnitude(MagnitudeOf what, MagnitudeBy by) : what_(what), by_(by) {}

  [[nodiscard]] StatisticInfo info() const override;
  void begin_model(const CacheGeometry& geometry) override;
  /// Throws Error(kAudit) where the hidden states are not query heads * head_dim wide.
  void observe(ObservedStep& step) override;
  [[nodiscard]] NamedArray finish(int64_t images) const override;
  [[nodiscard]] std::vector<std::span<double>> sums() override { return {largest_.values}; }

 private:
  MagnitudeOf what_;
  MagnitudeBy by_;
  NamedArray largest_;
};

}  // namespace kvscope
