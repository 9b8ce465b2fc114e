#include "experiments/commands/plot.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/error.h"
#include "experiments/commands/sweep_figures.h"

namespace kvscope {
namespace {

std::vector<QualityMetric> wanted_metrics(const std::string& name) {
  if (name == "all") return quality_metrics();
  std::vector<std::string> known = {"all"};
  for (const QualityMetric& metric : quality_metrics()) {
    if (metric.name == name) return {metric};
    known.emplace_back(metric.name);
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("no metric '{}' to plot. {}", name, suggestion(name, known)));
}

}  // namespace

int plot_command(const PlotOptions& options) {
  const std::vector<QualityMetric> metrics = wanted_metrics(options.metric);
  const SweepSummary sweep = summarise_sweep(options.folder);
  for (const QualityMetric& metric : metrics) {
    if (!was_measured(sweep, metric)) {
      if (options.metric == "all") continue;
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no point has a {}", options.folder.string(), metric.name));
    }
    const Chart chart = quality_chart(sweep, metric);
    const Canvas canvas = draw_chart(chart);
    const auto stem = options.folder / "report" / fmt::format("memory_{}", metric.name);
    constexpr double kPngScale = 2;
    canvas.write_svg(stem.string() + ".svg", chart_info(chart));
    canvas.write_png(stem.string() + ".png", chart_info(chart), kPngScale);
    fmt::print("{}.svg\n{}.png\n", stem.string(), stem.string());
  }
  return 0;
}

}  // namespace kvscope
