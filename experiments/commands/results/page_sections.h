#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "experiments/report/page.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// The table of all points with what its columns mean, and the sweep's notes.
ReportSection table_section(const SweepSummary& sweep);

/// Every metric by policy and budget; `models` as by_model() has them, here and below.
ReportSection budget_section(const std::vector<SweepSummary>& models);

/// Where a script draws quality against cost, with drawings of every metric against peak KV memory
/// for readers without.
ReportSection plot_section(const std::vector<SweepSummary>& models);

/// The same prompts, `prompts` of them, under every policy.
ReportSection image_section(const std::vector<SweepSummary>& models, int64_t prompts);

/// The commands that made the points, each once, and what all manifests have in common.
std::vector<std::pair<std::string, std::string>> page_provenance(const SweepSummary& sweep);

}  // namespace kvscope
