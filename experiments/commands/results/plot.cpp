#include "experiments/commands/results/plot.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/results/sweep_figures.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {

int plot_command(const PlotOptions& options) {
  check_metric_name(options.metric);
  const SweepSummary sweep = summarise_sweep(options.folder);
  for (const Metric& metric : chosen_metrics(sweep, options.metric)) {
    if (!was_measured(sweep, metric)) {
      if (options.metric == "all") continue;
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no point has a {}", options.folder.string(), metric.name));
    }
    const std::vector<SweepSummary> models = by_model(sweep);
    for (const SweepSummary& model : models) {
      if (!was_measured(model, metric)) continue;
      const Chart chart = quality_chart(model, metric, options.highlighted);
      const Canvas canvas = draw_chart(chart);
      const std::string stem =
          figure_path(model, fmt::format("memory_{}", metric.name), models.size()).string();
      constexpr double kPngScale = 2;
      canvas.write_svg(stem + ".svg", chart_info(chart));
      canvas.write_png(stem + ".png", chart_info(chart), kPngScale);
      fmt::print("{}.svg\n{}.png\n", stem, stem);
    }
  }
  return 0;
}

void register_plot(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<PlotOptions>();
  CLI::App& command = registrar.add("plot", "memory against quality, SVG and PNG",
                                    [options] { return plot_command(*options); });
  add_results_folder(command, options->folder);
  command.add_option("--metric", options->metric, metric_choices());
  command
      .add_option("--highlight", options->highlighted,
                  "policies in colour, the others grey: a,b; repeatable")
      ->expected(1)
      ->take_all();
}

}  // namespace kvscope
