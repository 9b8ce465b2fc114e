#include "experiments/commands/results/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/results/table.h"
#include "experiments/results/comparison.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/two_sweeps.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

void print(const Table& table, const CompareOptions& options) {
  fmt::print("{}\n", formatted_table(table, options.format, options.style));
}

void say_all(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) say("note: {}", note);
}

void print_differences(const SweepSummary& part,
                       const Metric& metric,
                       const CompareOptions& options) {
  const Differences found = difference_by_budget(part, metric, options.against, options.comparison);
  print(found.table, options);
  if (found.tests) print(*found.tests, options);
  say_all(found.notes);
}

void compare_policies(const SweepSummary& sweep, const CompareOptions& options) {
  const std::vector<Metric> metrics = chosen_metrics(sweep, options.metric);
  std::optional<Error> without_policy;  // a part of the sweep need not have it
  bool is_any = false;
  for (const SweepSummary& model : by_model(sweep)) {
    for (const SweepSummary& part : by_recipe(model)) {
      for (const Metric& metric : metrics) {
        if (options.against.empty()) {
          print(metric_by_budget(part, metric), options);
          continue;
        }
        try {
          print_differences(part, metric, options);
          is_any = true;
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kConfig) throw;
          without_policy = error;
        }
      }
    }
  }
  if (!without_policy) return;
  if (!is_any) throw *without_policy;
  say("note: points of another model or recipe are left out: {}", without_policy->what());
}

void compare_sweeps(const SweepSummary& first,
                    const SweepSummary& second,
                    const CompareOptions& options) {
  bool is_any = false;
  for (const Metric& metric : chosen_metrics(first, options.metric)) {
    const SweepDifferences found = difference_of_sweeps(first, second, metric, options.comparison);
    if (found.table) print(*found.table, options);
    is_any = is_any || found.table.has_value();
    say_all(found.notes);
  }
  if (is_any) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{} and {} have no image of the same point, prompt and seed with a value "
                          "in both; two points of other settings: kvscope compare "
                          "DIR/points/HASH DIR/points/HASH",
                          options.folder.string(), options.other.string()));
}

}  // namespace

int compare_command(const CompareOptions& options) {
  // What is unknown is said before anything is read.
  formatted_table({}, options.format, options.style);
  check_metric_name(options.metric);
  static_cast<void>(compare_pairs({}, {}, options.comparison));
  if (!options.other.empty() && !options.against.empty()) {
    throw Error(ErrorKind::kConfig, "compare: two folders, or one with --against POLICY; not both");
  }
  const SweepSummary sweep = summarise_sweep_or_point(options.folder);
  if (options.other.empty()) {
    compare_policies(sweep, options);
  } else {
    const SweepSummary other = summarise_sweep_or_point(options.other);
    compare_sweeps(sweep, other, options);
    say_all(other.notes);
    write_late_metrics(other.points);
  }
  say_all(sweep.notes);
  write_late_metrics(sweep.points);
  return 0;
}

void register_compare(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App& command = registrar.add(
      "compare", "policies by budget, by how much they differ from one, or two sweeps", [options] {
        options->style = console_style();
        return compare_command(*options);
      });
  command
      .add_option("folder", options->folder,
                  "results folder, such as multirun/quickstart, or the folder of a point")
      ->required();
  command.add_option("other", options->other, "another one: by how much it differs, by image");
  command.add_option("--metric", options->metric, metric_choices());
  command.add_option("--against", options->against, "a policy: differences to it, by image");
  ComparisonOptions& comparison = options->comparison;
  command.add_option("--test", comparison.test,
                     fmt::format("of differences: {}", fmt::join(paired_test_names(), ", ")));
  command.add_option("--interval", comparison.interval,
                     fmt::format("of differences: {}", fmt::join(paired_interval_names(), ", ")));
  command.add_option("--resamples", comparison.resamples, "of bootstrap and permutations, 9999")
      ->check(CLI::Range(int64_t{1}, int64_t{10'000'000}));
  command.add_option("--seed", comparison.seed, "of bootstrap and permutations, 0");
  command.add_option("--format", options->format, "how it is written")
      ->type_name("console|csv|md|tex");
}

}  // namespace kvscope
