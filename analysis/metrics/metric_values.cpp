#include "analysis/metrics/metric_values.h"

#include <limits>

#include "analysis/metrics/registry.h"

namespace kvscope {
namespace {

size_t index_of(std::string_view name) {
  return static_cast<size_t>(&metric_named(name) - metrics().data());
}

}  // namespace

MetricValues::MetricValues()
    : values_(metrics().size(), std::numeric_limits<double>::quiet_NaN()) {}

double MetricValues::operator[](std::string_view name) const {
  return values_[index_of(name)];
}

double& MetricValues::operator[](std::string_view name) {
  return values_[index_of(name)];
}

}  // namespace kvscope
