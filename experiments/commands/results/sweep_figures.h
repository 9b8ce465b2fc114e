#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "analysis/metrics/metric.h"
#include "experiments/report/figures/chart.h"
#include "experiments/report/figures/contact_sheet.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// A figure of one model's part of a sweep (by_model) and where it goes: <folder>/report/<name>, or
/// <name>_<model> where the sweep has `models` > 1. Without an extension.
std::filesystem::path figure_path(const SweepSummary& of_model,
                                  const std::string& name,
                                  size_t models);

/// Peak KV memory against the metric, one line a policy (and differing label), the full cache as
/// reference lines. `highlighted`: see trade_off_chart().
Chart quality_chart(const SweepSummary& sweep,
                    const Metric& metric,
                    const std::vector<std::string>& highlighted = {});

/// One row per point, the same prompts across: of the first `prompts` images of the first point.
/// `magnification` 0 chooses one that makes an image about 128 pixels wide.
ContactSheet sweep_contact_sheet(const SweepSummary& sweep, int64_t prompts, int64_t magnification);

}  // namespace kvscope
