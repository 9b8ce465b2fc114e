#pragma once

#include <map>
#include <string>

#include "analysis/metrics/metric_inputs.h"
#include "experiments/results/summary.h"
#include "experiments/sweep/digests.h"

namespace kvscope {

/// What metrics of finished points are given besides images, from the points' configs. Points that
/// give the same share what is made of it: one network, not one a point.
class LateInputs {
 public:
  const MetricInputs& of(const PointSummary& point);
  /// Throws Error where the files of `metric` are not there (see require_inputs), or are others
  /// than those that the point was asked to be measured with.
  const MetricInputs& checked(const PointSummary& point, const Metric& metric);

 private:
  std::map<std::string, MetricInputs> known_;
  FileDigests digests_;
};

}  // namespace kvscope
