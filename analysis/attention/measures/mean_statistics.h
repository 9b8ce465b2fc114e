#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/attention/measures/mean_array.h"
#include "analysis/attention/statistic.h"

namespace kvscope {

/// A statistic to which every image adds one sample of every number.
class MeanOfImages : public AttentionStatistic {
 public:
  [[nodiscard]] NamedArray finish(int64_t images) const override {
    return divided(sums_, static_cast<double>(images));
  }
  [[nodiscard]] std::vector<std::span<double>> sums() override { return {sums_.values}; }

 protected:
  NamedArray sums_;
};

/// A statistic whose numbers are weighted means of samples, of which an image may have several or
/// none.
class MeanOfSamples : public AttentionStatistic {
 public:
  [[nodiscard]] NamedArray finish(int64_t /*images*/) const override { return means_.mean(); }
  [[nodiscard]] std::vector<std::span<double>> sums() override { return means_.parts(); }
  [[nodiscard]] std::span<const double> weights() const override { return means_.weights(); }

 protected:
  MeanArray means_;
};

}  // namespace kvscope
