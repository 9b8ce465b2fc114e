#include "experiments/commands/results/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/results/table.h"
#include "experiments/commands/table_json.h"
#include "experiments/results/comparison.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/long_table.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/two_sweeps.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

constexpr const char* kCsv = "csv";

/// What the command answers: printed table by table, or kept for one JSON object.
class Answer {
 public:
  explicit Answer(const CompareOptions& options) : options_(options) {}

  void add(const Table& table) {
    if (options_.json) {
      tables_.push_back(table_json(table));
    } else {
      fmt::print("{}\n", formatted_table(table, options_.format, options_.style));
    }
  }

  /// A table of CSV is for programs, which read one whose rows say what they are of.
  [[nodiscard]] bool is_for_programs() const { return options_.format == kCsv && !options_.json; }
  void add_rows(const Table& table, const SweepSummary& part, const Metric& metric) {
    const PointSummary& point = part.points.front();
    long_.add(table, {.model = point.point().label("model"),
                      .recipe = point.recipe.text(),
                      .metric = metric.name,
                      .unit = metric.unit});
  }

  void note(const std::string& text) {
    notes_.push_back(text);
    say("note: {}", text);
  }

  void note_all(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) note(text);
  }

  void finish() const {
    if (!long_.empty()) {
      fmt::print("{}", formatted_table(long_.table(), options_.format, options_.style));
    }
    if (options_.json) print_json({{"tables", tables_}, {"notes", notes_}});
  }

 private:
  const CompareOptions& options_;
  nlohmann::ordered_json tables_ = nlohmann::ordered_json::array();
  std::vector<std::string> notes_;
  LongTable long_;
};

void add_values(const SweepSummary& part, const Metric& metric, Answer& answer) {
  const Table table = metric_by_budget(part, metric);
  if (answer.is_for_programs()) {
    answer.add_rows(row_per_cell(table), part, metric);
  } else {
    answer.add(table);
  }
}

void add_differences(const SweepSummary& part,
                     const Metric& metric,
                     const CompareOptions& options,
                     Answer& answer) {
  const Differences found = difference_by_budget(part, metric, options.against, options.comparison);
  if (answer.is_for_programs()) {
    if (found.tests) answer.add_rows(*found.tests, part, metric);
  } else {
    answer.add(found.table);
    if (found.tests) answer.add(*found.tests);
  }
  answer.note_all(found.notes);
}

void compare_policies(const SweepSummary& sweep, const CompareOptions& options, Answer& answer) {
  const std::vector<Metric> metrics = chosen_metrics(sweep, options.metric);
  std::optional<Error> without_policy;  // a part of the sweep need not have it
  bool is_any = false;
  for (const SweepSummary& model : by_model(sweep)) {
    for (const SweepSummary& part : by_recipe(model)) {
      for (const Metric& metric : metrics) {
        if (options.against.empty()) {
          add_values(part, metric, answer);
          continue;
        }
        try {
          add_differences(part, metric, options, answer);
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
  answer.note(
      fmt::format("points of another model or recipe are left out: {}", without_policy->what()));
}

void compare_sweeps(const SweepSummary& first,
                    const SweepSummary& second,
                    const CompareOptions& options,
                    Answer& answer) {
  bool is_any = false;
  for (const Metric& metric : chosen_metrics(first, options.metric)) {
    const SweepDifferences found = difference_of_sweeps(first, second, metric, options.comparison);
    if (found.table && answer.is_for_programs()) {
      answer.add_rows(*found.table, second, metric);
    } else if (found.table) {
      answer.add(*found.table);
    }
    is_any = is_any || found.table.has_value();
    answer.note_all(found.notes);
  }
  if (is_any) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{} and {} have no image of the same point, prompt and seed with a value "
                          "in both; two points of other settings: kvscope compare "
                          "DIR/points/HASH DIR/points/HASH",
                          options.folder.string(), options.other.string()));
}

/// Throws Error(kConfig) where one of the options that only differences have was typed.
void refuse_without_differences(const std::vector<CLI::Option*>& options,
                                const std::string& typed) {
  std::vector<std::string> given;
  for (const CLI::Option* option : options) {
    if (option->count() > 0) given.push_back(option->get_name());
  }
  if (given.empty()) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: how differences are judged, and values by budget are none; "
                          "differences to a policy, such as the full cache: {} --against full",
                          fmt::join(given, ", "), typed));
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
  Answer answer(options);
  const SweepSummary sweep = summarise_sweep_or_point(options.folder);
  if (options.other.empty()) {
    compare_policies(sweep, options, answer);
  } else {
    const SweepSummary other = summarise_sweep_or_point(options.other);
    compare_sweeps(sweep, other, options, answer);
    answer.note_all(other.notes);
    write_late_metrics(other.points);
  }
  answer.note_all(sweep.notes);
  answer.finish();
  write_late_metrics(sweep.points);
  return 0;
}

void register_compare(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<CompareOptions>();
  const auto of_differences = std::make_shared<std::vector<CLI::Option*>>();
  CLI::App& command = registrar.add(
      "compare", "policies by budget, by how much they differ from one, or two sweeps",
      [=, typed = registrar.typed()] {
        if (options->other.empty() && options->against.empty()) {
          refuse_without_differences(*of_differences, typed);
        }
        options->style = console_style();
        return compare_command(*options);
      });
  command
      .add_option("folder", options->folder,
                  "results folder, such as multirun/quickstart, or the folder of a point")
      ->required();
  command.add_option("other", options->other, "another one: by how much it differs, by image");
  command.add_option("--metric", options->metric, metric_choices())->type_name("METRIC or all");
  command.add_option("--against", options->against, "a policy: differences to it, by image");
  ComparisonOptions& comparison = options->comparison;
  *of_differences = {
      command
          .add_option("--test", comparison.test,
                      fmt::format("of differences: {}", fmt::join(paired_test_names(), ", ")))
          ->type_name(fmt::format("{}", fmt::join(paired_test_names(), "|"))),
      command
          .add_option("--interval", comparison.interval,
                      fmt::format("of differences: {}", fmt::join(paired_interval_names(), ", ")))
          ->type_name(fmt::format("{}", fmt::join(paired_interval_names(), "|"))),
      command
          .add_option("--resamples", comparison.resamples, "of bootstrap and permutations, 9999")
          ->check(CLI::Range(int64_t{1}, int64_t{10'000'000})),
      command.add_option("--seed", comparison.seed, "of bootstrap and permutations, 0")};
  CLI::Option* format = command.add_option("--format", options->format, "how it is written");
  format->type_name("console|csv|md|tex");
  add_json_flag(command, options->json);
  format->excludes("--json");
}

}  // namespace kvscope
