#include "analysis/metrics/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_METRIC(name) Metric metric_##name();
#include "analysis/metrics/metrics.def"
#undef KVSCOPE_METRIC

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all = {
#define KVSCOPE_METRIC(name) metric_##name(),
#include "analysis/metrics/metrics.def"
#undef KVSCOPE_METRIC
  };
  return all;
}

const Metric& metric_named(std::string_view name) {
  for (const Metric& metric : metrics()) {
    if (metric.name == name) return metric;
  }
  throw Error(ErrorKind::kConfig, fmt::format("no metric '{}'. {}", name,
                                              suggestion(std::string(name), metric_names())));
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.push_back(metric.name);
  return names;
}

std::vector<std::string> standard_metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) {
    if (metric.standard) names.push_back(metric.name);
  }
  return names;
}

std::vector<MetricInput> all_metric_inputs() {
  std::vector<MetricInput> inputs;
  for (const Metric& metric : metrics()) {
    for (const MetricInput& input : metric.inputs) {
      if (std::ranges::find(inputs, input.key, &MetricInput::key) == inputs.end()) {
        inputs.push_back(input);
      }
    }
  }
  return inputs;
}

std::string labels_in_words(const std::vector<Metric>& chosen) {
  std::string words;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (i > 0) words += i + 1 == chosen.size() ? " and " : ", ";
    words += chosen[i].label;
  }
  return words;
}

}  // namespace kvscope
