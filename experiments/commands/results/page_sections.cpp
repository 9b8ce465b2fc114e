#include "experiments/commands/results/page_sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/commands/results/sweep_figures.h"
#include "experiments/results/comparison.h"
#include "experiments/results/page/image_grid.h"
#include "experiments/results/page/point_facts.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/sweep_table.h"

namespace kvscope {
namespace {

/// " of MODEL" where there are several.
std::string of_model(const SweepSummary& model, size_t models) {
  return models > 1 ? " of " + model.points.front().point().label("model") : "";
}

}  // namespace

ReportSection table_section(const SweepSummary& sweep) {
  const Table table = by_importance(sweep_table(sweep));
  ReportSection section{.title = "Results", .id = "results", .blocks = {table}};
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

ReportSection budget_section(const std::vector<SweepSummary>& models) {
  ReportSection section{.title = "Policies by budget", .id = "budgets"};
  for (const SweepSummary& model : models) {
    for (const SweepSummary& part : by_recipe(model)) {
      for (const Metric& metric : shown_metrics(part)) {
        if (was_measured(part, metric)) section.blocks.emplace_back(metric_by_budget(part, metric));
      }
    }
  }
  return section;
}

ReportSection plot_section(const std::vector<SweepSummary>& models) {
  ReportSection section{.title = "Memory against quality", .id = "trade-off"};
  for (const SweepSummary& model : models) {
    for (const Metric& metric : shown_metrics(model)) {
      if (!was_measured(model, metric)) continue;
      const Chart chart = quality_chart(model, metric);
      if (is_empty(chart)) continue;
      section.blocks.emplace_back(
          SvgFigure{.svg = draw_chart(chart).svg(chart_info(chart)),
                    .caption = metric.title + of_model(model, models.size()),
                    .is_fallback = true});
    }
  }
  return section;
}

ReportSection image_section(const std::vector<SweepSummary>& models, int64_t prompts) {
  ReportSection section{.title = "Images", .id = "images"};
  GridLimits limits{.prompts = prompts};
  limits.bytes /= std::ssize(models);
  for (const SweepSummary& model : models) {
    ImageGrid grid = image_grid(model, limits);
    grid.title += of_model(model, models.size());
    section.blocks.emplace_back(std::move(grid));
  }
  return section;
}

std::vector<std::pair<std::string, std::string>> page_provenance(const SweepSummary& sweep) {
  std::vector<std::pair<std::string, std::string>> provenance;
  std::vector<Facts> manifests;
  for (const PointSummary& point : sweep.points) {
    Facts facts = manifest_of(point);
    const auto found = facts.find("command_line");
    if (found != facts.end()) {
      const std::pair<std::string, std::string> command{"command", found->second};
      if (std::ranges::find(provenance, command) == provenance.end()) {
        provenance.push_back(command);
      }
      facts.erase(found);
    }
    manifests.push_back(std::move(facts));
  }
  const SharedFacts facts = shared_and_own(std::move(manifests));
  for (const auto& [key, value] : facts.shared) provenance.emplace_back(key, value);
  return provenance;
}

}  // namespace kvscope
