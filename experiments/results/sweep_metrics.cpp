#include "experiments/results/sweep_metrics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr const char* kAll = "all";

}  // namespace

bool was_measured(const SweepSummary& sweep, const Metric& metric) {
  return std::ranges::any_of(
      sweep.points, [&](const PointSummary& summary) { return summary.metric(metric).present(); });
}

std::vector<Metric> shown_metrics(const SweepSummary& sweep) {
  std::vector<Metric> shown;
  for (const Metric& metric : metrics()) {
    const bool asked = std::ranges::any_of(sweep.points, [&](const PointSummary& summary) {
      return summary.asked_metrics && std::ranges::count(*summary.asked_metrics, metric.name) > 0;
    });
    // Files of before do not say what was asked for.
    const bool unsaid = std::ranges::any_of(
        sweep.points, [](const PointSummary& summary) { return !summary.asked_metrics; });
    if ((metric.standard && unsaid) || asked || was_measured(sweep, metric))
      shown.push_back(metric);
  }
  return shown;
}

std::vector<Metric> chosen_metrics(const SweepSummary& sweep, const std::string& name) {
  check_metric_name(name);
  if (name == kAll) return shown_metrics(sweep);
  if (!name.empty()) return {metric_named(name)};
  const auto alone = std::ranges::find(metrics(), MetricScope::kImage, &Metric::scope);
  return {alone == metrics().end() ? metrics().front() : *alone};
}

void check_metric_name(const std::string& name) {
  if (name.empty()) return;
  std::vector<std::string> known = {kAll};
  for (std::string& one : metric_names()) known.push_back(std::move(one));
  if (std::ranges::find(known, name) != known.end()) return;
  throw Error(ErrorKind::kConfig, fmt::format("no metric '{}'. {}", name, suggestion(name, known)));
}

std::string metric_choices() {
  return fmt::format("{} or {}", fmt::join(metric_names(), ", "), kAll);
}

}  // namespace kvscope
