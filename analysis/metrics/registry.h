#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/metrics/metric.h"

namespace kvscope {

/// Every metric of metrics.def, in its order.
const std::vector<Metric>& metrics();

/// The metric of that name. Throws Error(kConfig) with the nearest one.
const Metric& metric_named(std::string_view name);

std::vector<std::string> metric_names();

/// Names of those that are measured unless told otherwise.
std::vector<std::string> standard_metric_names();

/// The key of a folder in which files of metrics are looked for under their published names.
inline constexpr const char* kMetricWeightsFolder = "weights.folder";

/// What any of them is given besides images, each key once.
std::vector<MetricInput> all_metric_inputs();

/// "PSNR and SSIM": the labels of these metrics in a sentence.
std::string labels_in_words(const std::vector<Metric>& chosen);

}  // namespace kvscope
