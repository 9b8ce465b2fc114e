#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/attention/measures/mean_statistics.h"

namespace kvscope {

/// A statistic [layer, head, step] that is a mean of samples of each image: weighted, as a step may
/// have several samples of a head (keys, queries) or none.
class HeadStepMean : public MeanOfSamples {
 public:
  struct Sample {
    double sum = 0;
    double weight = 0;  ///< 0: there is nothing to measure
  };
  using Measure = Sample (*)(ObservedStep& step, int64_t image, int64_t head);

  /// `info` without axes.
  HeadStepMean(StatisticInfo info, Measure measure, std::map<std::string, int64_t> parameters = {});

  [[nodiscard]] StatisticInfo info() const override { return info_; }
  void begin_model(const CacheGeometry& geometry) override;
  void observe(ObservedStep& step) override;

 private:
  StatisticInfo info_;
  Measure measure_;
  std::map<std::string, int64_t> parameters_;
};

}  // namespace kvscope
