#pragma once

#include <string_view>
#include <vector>

namespace kvscope {

/// A value of every metric of one image, NaN where it was not measured.
class MetricValues {
 public:
  MetricValues();

  /// By the metric's name. Throws Error(kConfig) with the nearest name where there is no such one.
  [[nodiscard]] double operator[](std::string_view name) const;
  [[nodiscard]] double& operator[](std::string_view name);

 private:
  std::vector<double> values_;  // [metrics()], in the registry's order
};

}  // namespace kvscope
