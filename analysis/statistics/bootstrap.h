#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "analysis/statistics/interval.h"

namespace kvscope {

enum class BootstrapMethod : uint8_t {
  kPercentile,  ///< quantiles of the resampled statistic
  kBca          ///< corrected for bias and skewness (Efron 1987)
};

struct BootstrapOptions {
  BootstrapMethod method = BootstrapMethod::kBca;
  double confidence = 0.95;
  int64_t resamples = 9999;
  uint64_t seed = 0;
};

using SampleStatistic = std::function<double(std::span<const double>)>;

/// The statistic of `values` with the interval that resampling them gives. Draw i of resample b
/// depends on (seed, b, i) alone, so the interval is the same on every machine and in any order.
/// Where BCa is not defined, all resampled statistics on one side of the estimate, the percentile
/// interval stands in. Ends are NaN below two values, all is NaN for none. Error(kConfig) unless
/// 0 < confidence < 1 and there is a resample. Costs resamples + values statistics.
Interval bootstrap_interval(std::span<const double> values,
                            const SampleStatistic& statistic,
                            const BootstrapOptions& options = {});

}  // namespace kvscope
