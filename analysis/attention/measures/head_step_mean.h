#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/attention/measures/mean_array.h"
#include "analysis/attention/statistic.h"

namespace kvscope {

/// A statistic [layer, head, step] that is a mean of samples of each image: weighted, as a step may
/// have several samples of a head (keys, queries) or none.
class HeadStepMean : public AttentionStatistic {
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
  [[nodiscard]] NamedArray finish(int64_t images) const override;
  [[nodiscard]] std::vector<std::span<double>> sums() override { return means_.parts(); }

 private:
  StatisticInfo info_;
  Measure measure_;
  std::map<std::string, int64_t> parameters_;
  MeanArray means_;
};

}  // namespace kvscope
