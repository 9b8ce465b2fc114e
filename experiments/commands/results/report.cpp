#include "experiments/commands/results/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/text_file.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/contact_sheet.h"
#include "experiments/commands/results/plot.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/results/sweep_figures.h"
#include "experiments/report/page.h"
#include "experiments/results/comparison.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_table.h"

namespace kvscope {
namespace {

constexpr int64_t kShownPrompts = 8;

ReportSection table_section(const SweepSummary& sweep) {
  const Table table = by_importance(sweep_table(sweep));
  ReportSection section{.title = "Results", .blocks = {table}};
  std::string how = "Memory is an image's, with both rows of a guided one.";
  for (const TableColumn& column : table.columns) {
    if (!column.help.empty()) how += fmt::format(" {}: {}.", column.header, column.help);
  }
  how += " Times are medians over images.";
  for (const Metric& metric : shown_metrics(sweep)) {
    if (!metric.note.empty()) how += fmt::format("\n\n{}: {}.", metric.label, metric.note);
  }
  section.blocks.emplace_back(Paragraph{how});
  for (const std::string& note : sweep.notes) section.blocks.emplace_back(Paragraph{note});
  return section;
}

// " of MODEL" where there are several.
std::string of_model(const SweepSummary& model, size_t models) {
  return models > 1 ? " of " + model.points.front().point().label("model") : "";
}

ReportSection budget_section(const std::vector<SweepSummary>& models) {
  ReportSection section{.title = "Policies by budget"};
  for (const SweepSummary& model : models) {
    for (const Metric& metric : shown_metrics(model)) {
      if (was_measured(model, metric)) section.blocks.emplace_back(metric_by_budget(model, metric));
    }
  }
  return section;
}

ReportSection plot_section(const std::vector<SweepSummary>& models) {
  ReportSection section{.title = "Memory against quality"};
  for (const SweepSummary& model : models) {
    for (const Metric& metric : shown_metrics(model)) {
      if (!was_measured(model, metric)) continue;
      const Chart chart = quality_chart(model, metric);
      if (is_empty(chart)) continue;
      section.blocks.emplace_back(
          SvgFigure{.svg = draw_chart(chart).svg(chart_info(chart)),
                    .caption = metric.title + of_model(model, models.size())});
    }
  }
  return section;
}

ReportSection image_section(const std::vector<SweepSummary>& models) {
  ReportSection section{.title = "Images"};
  for (const SweepSummary& model : models) {
    const ContactSheet sheet = sweep_contact_sheet(model, kShownPrompts, 0);
    const FigureInfo info = contact_sheet_info(sheet);
    section.blocks.emplace_back(PngFigure{.png = draw_contact_sheet(sheet).png(info),
                                          .caption = sheet.title + of_model(model, models.size()),
                                          .alternative = info.description});
  }
  return section;
}

/// The commands that made the points, each once.
std::vector<std::string> commands_of(const SweepSummary& sweep) {
  std::vector<std::string> commands;
  for (const PointSummary& point : sweep.points) {
    const std::optional<std::string> text = text_of_file(point.folder / "manifest.json");
    const auto manifest = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!manifest.is_object() || !manifest.contains("command_line")) continue;
    const auto& said = manifest["command_line"];
    const std::string command = said.is_string() ? said.get<std::string>() : "";
    if (command.empty() || std::ranges::find(commands, command) != commands.end()) continue;
    commands.push_back(command);
  }
  return commands;
}

}  // namespace

int report_command(const ReportOptions& options) {
  const SweepSummary sweep = summarise_sweep(options.folder);
  write_late_metrics(sweep.points);  // plot and sheet, below, then read what was measured here
  const Table table = sweep_table(sweep);
  const std::filesystem::path report = options.folder / "report";
  write_file_atomically(report / "table.csv", csv_table(table));
  write_file_atomically(report / "table.md", markdown_table(table));
  write_file_atomically(report / "table.tex", latex_table(table));
  plot_command({.folder = options.folder});
  contact_sheet_command({.folder = options.folder, .prompts = kShownPrompts});

  ReportPage page;
  const std::filesystem::path absolute = std::filesystem::weakly_canonical(options.folder);
  page.title = options.title.empty() ? absolute.filename().string() : options.title;
  page.subtitle = table.title;
  for (const std::string& command : commands_of(sweep)) {
    page.provenance.emplace_back("command", command);
  }
  page.points = table.provenance;
  const std::vector<SweepSummary> models = by_model(sweep);
  page.sections = {plot_section(models), budget_section(models), table_section(sweep),
                   image_section(models)};
  write_page(report / "index.html", page);
  fmt::print("{}\n", (report / "index.html").string());
  return 0;
}

void register_report(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App& command = registrar.add("report", "table, plots and sheet as one HTML page",
                                    [options] { return report_command(*options); });
  add_results_folder(command, options->folder);
  command.add_option("--title", options->title, "title of the page");
}

}  // namespace kvscope
