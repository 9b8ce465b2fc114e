#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/metrics/metric_inputs.h"
#include "core/config/value.h"
#include "experiments/results/metric_origins.h"
#include "experiments/sweep/digests.h"

namespace kvscope {

/// Writes into a composed config where the files are that `metrics` need and that it does not name:
/// in metrics.weights.folder, under the names they are published by. Throws Error(kConfig) naming
/// the first one that is not there and where it comes from, Error(kInput) for one that is named and
/// not there.
void settle_metric_files(ConfigNode& config, const std::vector<std::string>& metrics);

/// What a config gives its metrics besides images.
MetricInputs metric_inputs_of(const ConfigNode& config);

/// Reads the files of `metric` for their digests.
MetricOrigin metric_origin(const Metric& metric, const MetricInputs& inputs, FileDigests& files);

/// Those of all that name an implementation.
MetricOrigins metric_origins(const std::vector<std::string>& metrics,
                             const MetricInputs& inputs,
                             FileDigests& files);

}  // namespace kvscope
