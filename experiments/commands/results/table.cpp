#include "experiments/commands/results/table.h"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "analysis/metrics/registry.h"
#include "core/base/atomic_file.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/results/results_folder_option.h"
#include "experiments/commands/table_json.h"
#include "experiments/report/tables/table.h"
#include "experiments/results/judge_numbers.h"
#include "experiments/results/late_metrics.h"
#include "experiments/results/skill_table.h"
#include "experiments/results/sweep_metrics.h"
#include "experiments/results/sweep_recipes.h"
#include "experiments/results/sweep_table.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

struct TableFormat {
  std::string name;
  std::function<std::string(const Table&)> write;
};

const std::vector<TableFormat>& file_formats() {
  static const std::vector<TableFormat> formats = {
      {"csv", csv_table}, {"md", markdown_table}, {"tex", latex_table}};
  return formats;
}

}  // namespace

std::string formatted_table(const Table& table,
                            const std::string& name,
                            const ConsoleStyle& style) {
  if (name == "console") return console_table(table, style);
  std::vector<std::string> known = {"console"};
  for (const TableFormat& format : file_formats()) {
    if (format.name == name) return format.write(table);
    known.push_back(format.name);
  }
  throw Error(ErrorKind::kConfig,
              fmt::format("no table format '{}'. {}", name, suggestion(name, known)));
}

int table_command(const TableOptions& options) {
  formatted_table({}, options.format, options.style);  // an unknown format before all else
  if (!options.by_skill.empty()) metric_named(options.by_skill);
  const SweepSummary sweep = summarise_sweep(options.folder);
  const bool by_skill = !options.by_skill.empty();
  const Table table =
      by_skill ? skill_table(sweep, metric_named(options.by_skill)) : sweep_table(sweep);
  const std::string stem = by_skill ? "skills_" + options.by_skill : "table";
  std::optional<Error> unwritten;  // a folder that is only read has a table all the same
  for (const TableFormat& format : file_formats()) {
    try {
      write_file_atomically(options.folder / "report" / (stem + "." + format.name),
                            format.write(table));
    } catch (const Error& error) {
      unwritten = error;
    }
  }
  try {
    write_file_atomically(options.folder / "report" / "recipes.json",
                          recipes_of(sweep).json(shown_metrics(sweep)));
  } catch (const Error& error) {
    unwritten = error;
  }
  if (options.json) {
    print_json(table_json(table));
  } else {
    fmt::print("{}", formatted_table(table, options.format, options.style));
  }
  for (const std::string& note : sweep.notes) say("note: {}", note);
  for (const std::string& note : judge_columns(sweep).notes) say("note: {}", note);
  if (unwritten) throw *unwritten;
  write_late_metrics(sweep.points);
  return 0;
}

void register_table(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<TableOptions>();
  CLI::App& command = registrar.add("table", "the table of a sweep", [options] {
    options->style = console_style();
    return table_command(*options);
  });
  add_results_folder(command, options->folder);
  command.add_option("--by-skill", options->by_skill,
                     "a metric of single images by the skill that its prompt tests");
  CLI::Option* format = command.add_option("--format", options->format, "how it is written");
  format->type_name("console|csv|md|tex");
  add_json_flag(command, options->json);
  format->excludes("--json");
}

}  // namespace kvscope
