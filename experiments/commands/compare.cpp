#include "experiments/commands/compare.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/console.h"
#include "experiments/commands/table.h"
#include "experiments/results/comparison.h"
#include "experiments/results/sweep_metrics.h"

namespace kvscope {
int compare_command(const CompareOptions& options) {
  formatted_table({}, options.format, options.ansi);  // an unknown format before anything is read
  check_metric_name(options.metric);
  const SweepSummary sweep = summarise_sweep(options.folder);
  const std::vector<Metric> metrics = chosen_metrics(sweep, options.metric);
  for (const SweepSummary& model : by_model(sweep)) {
    for (const Metric& metric : metrics) {
      const Differences shown = options.against.empty()
                                    ? Differences{.table = metric_by_budget(model, metric)}
                                    : difference_by_budget(model, metric, options.against);
      fmt::print("{}\n", formatted_table(shown.table, options.format, options.ansi));
      for (const std::string& note : shown.unpaired) say("note: {}", note);
    }
  }
  for (const std::string& note : sweep.notes) say("note: {}", note);
  return 0;
}

}  // namespace kvscope
