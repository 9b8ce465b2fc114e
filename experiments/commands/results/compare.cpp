#include "experiments/commands/results/compare.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "core/base/console.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/results/table.h"
#include "experiments/results/comparison.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/terminal.h"

namespace kvscope {

int compare_command(const CompareOptions& options) {
  formatted_table({}, options.format, options.style);  // an unknown format before anything is read
  check_metric_name(options.metric);
  const SweepSummary sweep = summarise_sweep(options.folder);
  const std::vector<Metric> metrics = chosen_metrics(sweep, options.metric);
  for (const SweepSummary& model : by_model(sweep)) {
    for (const Metric& metric : metrics) {
      const Differences shown = options.against.empty()
                                    ? Differences{.table = metric_by_budget(model, metric)}
                                    : difference_by_budget(model, metric, options.against);
      fmt::print("{}\n", formatted_table(shown.table, options.format, options.style));
      for (const std::string& note : shown.unpaired) say("note: {}", note);
    }
  }
  for (const std::string& note : sweep.notes) say("note: {}", note);
  write_late_metrics(sweep.points);
  return 0;
}

void register_compare(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App& command = registrar.add(
      "compare", "policies by budget, or by how much they differ from one", [options] {
        options->style = console_style();
        return compare_command(*options);
      });
  add_results_folder(command, options->folder);
  command.add_option("--metric", options->metric, metric_choices());
  command.add_option("--against", options->against, "a policy: differences to it, by image");
  command.add_option("--format", options->format, "console, csv, md or tex");
}

}  // namespace kvscope
