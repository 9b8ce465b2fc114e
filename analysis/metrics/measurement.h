#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/metrics/metric.h"
#include "analysis/metrics/metric_inputs.h"
#include "analysis/metrics/metric_values.h"

namespace kvscope {

/// Chosen metrics of images and pairs at work, with the weights they hold.
class Measurement {
 public:
  /// Throws Error(kConfig) for an unknown name, and as require_inputs() and Metric::make do.
  /// Metrics of sets are passed over: they need all images of a point.
  explicit Measurement(std::span<const std::string> names,
                       const MetricInputs& inputs = MetricInputs());

  /// Whether any of them compares with a full-cache image.
  [[nodiscard]] bool compares() const;
  /// Whether any of them compares tokens.
  [[nodiscard]] bool compares_tokens() const;
  /// Whether one of them that could be measured, given a reference or not, has no value yet.
  [[nodiscard]] bool is_open(const MetricValues& values, bool with_reference) const;
  /// Fills the values that are NaN; those of pairs where the image has a reference.
  void measure(const MeasuredImage& image, MetricValues& values) const;

 private:
  std::vector<std::pair<const Metric*, MeasureImage>> chosen_;
};

}  // namespace kvscope
