#include "experiments/commands/results/report.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/contact_sheet.h"
#include "experiments/commands/results/page_sections.h"
#include "experiments/commands/results/plot.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/report/page.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/page/points_payload.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/sweep_table.h"

namespace kvscope {
namespace {

constexpr int64_t kShownPrompts = 8;

}  // namespace

int report_command(const ReportOptions& options) {
  const SweepSummary sweep = summarise_sweep(options.folder);
  write_late_metrics(sweep.points);  // plot and sheet, below, then read what was measured here
  const Table table = sweep_table(sweep);
  const std::filesystem::path report = options.folder / "report";
  write_file_atomically(report / "table.csv", csv_table(table));
  write_file_atomically(report / "table.md", markdown_table(table));
  write_file_atomically(report / "table.tex", latex_table(table));
  write_file_atomically(report / "recipes.json", recipes_of(sweep).json(shown_metrics(sweep)));
  plot_command({.folder = options.folder});
  contact_sheet_command({.folder = options.folder, .prompts = kShownPrompts});

  ReportPage page;
  const std::filesystem::path absolute = std::filesystem::weakly_canonical(options.folder);
  page.title = options.title.empty() ? absolute.filename().string() : options.title;
  page.subtitle = table.title;
  page.provenance = page_provenance(sweep);
  page.points = table.provenance;
  const std::vector<SweepSummary> models = by_model(sweep);
  page.sections = {table_section(sweep), plot_section(models), image_section(models, kShownPrompts),
                   budget_section(models)};
  page.data = points_payload(sweep);
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
