#pragma once

#include <string>
#include <vector>

#include "analysis/metrics/registry.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// Whether any point has this value.
bool was_measured(const SweepSummary& sweep, const Metric& metric);

/// The metrics that a table of the sweep has columns of: those that any point asks for or
/// has, and the default ones where a point does not say what it asks for.
std::vector<Metric> shown_metrics(const SweepSummary& sweep);

/// The metric of that name, or all that are shown for "all"; empty: the first that needs no full
/// cache. Throws Error(kConfig) with the nearest name.
std::vector<Metric> chosen_metrics(const SweepSummary& sweep, const std::string& name);

/// Throws Error(kConfig) unless chosen_metrics() takes `name`: before anything is read.
void check_metric_name(const std::string& name);

/// Every name, "or all", for help.
std::string metric_choices();

}  // namespace kvscope
