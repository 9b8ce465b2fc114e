#include "experiments/results/late_inputs.h"

#include <fmt/format.h>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "experiments/sweep/metric_settings.h"

namespace kvscope {

const MetricInputs& LateInputs::of(const PointSummary& point) {
  const MetricInputs inputs =
      metric_inputs_of(load_yaml_text(point.point().config_yaml, "the point's config"));
  std::string key;
  for (const MetricInput& input : all_metric_inputs()) {
    key += fmt::format("{}={}\n", input.key, inputs.find(input.key).value_or(""));
  }
  return known_.try_emplace(key, inputs).first->second;
}

const MetricInputs& LateInputs::checked(const PointSummary& point, const Metric& metric) {
  const MetricInputs& inputs = of(point);
  require_inputs(metric, inputs);
  const auto stored = point.point().metric_origins.find(metric.name);
  const bool is_another = stored != point.point().metric_origins.end() &&
                          !(stored->second == metric_origin(metric, inputs, digests_));
  if (is_another) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("the files of {} have changed since the point was asked for it; kvscope "
                    "run measures it again",
                    metric.name));
  }
  return inputs;
}

}  // namespace kvscope
