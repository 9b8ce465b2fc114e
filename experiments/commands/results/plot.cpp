#include "experiments/commands/results/plot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <vector>

#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/results/sweep_figures.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {
namespace {

constexpr double kDefaultFontSize = 11.5;  // of names in a Chart

struct Figure {
  std::string stem;  ///< of its files
  std::string what;  ///< "METRIC of MODEL"
  Chart chart;
};

void check_number(const char* option, double value, double minimum, double maximum) {
  if (value >= minimum && value <= maximum) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("{} {}: expected {} to {} pixels", option, value, minimum, maximum));
}

void check_options(const PlotOptions& options) {
  check_metric_name(options.metric);
  if (!options.out.empty()) check_figure_path(options.out);
  check_number("--width", options.width_px, 200, 8000);
  check_number("--height", options.height_px, 150, 8000);
  check_number("--font-size", options.font_size_px, 4, 60);
}

/// Of all lengths, for the font size.
double font_scale(const PlotOptions& options) {
  return options.font_size_px / kDefaultFontSize;
}

/// Likewise, so that the drawing, whose sides are whole, is as wide as asked for.
double scale_of(const PlotOptions& options, const Canvas& canvas) {
  return options.width_px / canvas.width_px();
}

std::vector<Figure> figures_of(const PlotOptions& options, const SweepSummary& sweep) {
  std::vector<Figure> figures;
  const std::vector<SweepSummary> models = by_model(sweep);
  for (const Metric& metric : chosen_metrics(sweep, options.metric)) {
    if (!was_measured(sweep, metric)) {
      if (options.metric == "all") continue;
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no point has a {}", options.folder.string(), metric.name));
    }
    for (const SweepSummary& model : models) {
      if (!was_measured(model, metric)) continue;
      const std::string name = model.points.front().point().label("model");
      Figure figure{
          figure_path(model, fmt::format("memory_{}", metric.name), models.size()).string(),
          fmt::format("{} of {}", metric.name, name),
          quality_chart(model, metric, options.highlighted)};
      figure.chart.width_px = options.width_px / font_scale(options);
      figure.chart.height_px = options.height_px / font_scale(options);
      if (options.without_title) figure.chart.title = figure.chart.subtitle = "";
      if (is_empty(figure.chart)) {
        say("note: {}: no figure, as no point would be in it: of a full cache there is nothing to "
            "compare, or the values are infinite",
            figure.what);
      } else {
        figures.push_back(std::move(figure));
      }
    }
  }
  return figures;
}

void write_one(const PlotOptions& options, const std::vector<Figure>& figures) {
  if (figures.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: there is nothing to draw in {}",
                                               options.folder.string(), options.out.string()));
  }
  if (figures.size() > 1) {
    std::vector<std::string> names;
    for (const Figure& figure : figures) names.push_back(figure.what);
    throw Error(ErrorKind::kConfig,
                fmt::format("--out {} is one figure, and there are {}: {}. --metric chooses one of "
                            "a model; without --out all are written",
                            options.out.string(), figures.size(), fmt::join(names, ", ")));
  }
  const Chart& chart = figures.front().chart;
  const Canvas canvas = draw_chart(chart);
  write_figure(canvas, options.out, chart_info(chart), scale_of(options, canvas));
  fmt::print("{}\n", options.out.string());
}

}  // namespace

int plot_command(const PlotOptions& options) {
  check_options(options);
  const SweepSummary sweep = summarise_sweep(options.folder);
  const std::vector<Figure> figures = figures_of(options, sweep);
  if (!options.out.empty()) {
    write_one(options, figures);
    write_late_metrics(sweep.points);
    return 0;
  }
  for (const Figure& figure : figures) {
    const Canvas canvas = draw_chart(figure.chart);
    const FigureInfo info = chart_info(figure.chart);
    write_figure(canvas, figure.stem + ".svg", info, scale_of(options, canvas));
    write_figure(canvas, figure.stem + ".png", info, scale_of(options, canvas));
    fmt::print("{0}.svg\n{0}.png\n", figure.stem);
  }
  write_late_metrics(sweep.points);
  return 0;
}

void register_plot(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<PlotOptions>();
  CLI::App& command = registrar.add("plot", "memory against quality, SVG and PNG",
                                    [options] { return plot_command(*options); });
  add_results_folder(command, options->folder);
  command.add_option("--metric", options->metric, metric_choices())->type_name("METRIC or all");
  command
      .add_option("--highlight", options->highlighted,
                  "policies in colour, the others grey: a,b; repeatable")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // what follows is another argument
  command.add_option("-o,--out", options->out, "one figure: FILE.svg, FILE.png or FILE.pdf");
  command.add_option("--width", options->width_px, "pixels; a PNG has two for each");
  command.add_option("--height", options->height_px, "likewise");
  command.add_option("--font-size", options->font_size_px,
                     "pixels of names; the rest in proportion");
  command.add_flag("--no-title", options->without_title, "for a figure with a caption of its own");
}

}  // namespace kvscope
