#include "analysis/metrics/measurement.h"

#include <algorithm>
#include <cmath>

#include "analysis/metrics/registry.h"

namespace kvscope {
namespace {

bool is_of_pairs(const Metric& metric) {
  return metric.scope == MetricScope::kPair;
}

}  // namespace

Measurement::Measurement(std::span<const std::string> names, const MetricInputs& inputs) {
  for (const std::string& name : names) {
    const Metric& metric = metric_named(name);
    if (metric.make == nullptr) continue;
    require_inputs(metric, inputs);
    chosen_.emplace_back(&metric, metric.make(inputs));
  }
}

bool Measurement::compares() const {
  return std::ranges::any_of(chosen_, [](const auto& one) { return is_of_pairs(*one.first); });
}

bool Measurement::compares_tokens() const {
  return std::ranges::any_of(chosen_, [](const auto& one) { return one.first->of_tokens; });
}

bool Measurement::is_open(const MetricValues& values, bool with_reference) const {
  return std::ranges::any_of(chosen_, [&](const auto& one) {
    return (with_reference || !is_of_pairs(*one.first)) && std::isnan(values[one.first->name]);
  });
}

void Measurement::measure(const MeasuredImage& image, MetricValues& values) const {
  for (const auto& [metric, measure_image] : chosen_) {
    if (is_of_pairs(*metric) && image.reference == nullptr) continue;
    double& value = values[metric->name];
    if (std::isnan(value)) value = measure_image(image);
  }
}

}  // namespace kvscope
