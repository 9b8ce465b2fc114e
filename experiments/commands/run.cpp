#include "experiments/commands/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/hash.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/results/paper_memory.h"
#include "experiments/commands/results/report.h"
#include "experiments/commands/results/table.h"
#include "experiments/commands/show_config.h"
#include "experiments/commands/sweep_outcome.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/point_state.h"
#include "experiments/sweep/prompt_check.h"
#include "experiments/sweep/run_point.h"
#include "experiments/sweep/runner.h"
#include "experiments/sweep/sweep_folder.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

/// Leaves the points that the options choose. Throws Error(kConfig) where one of --only is none's.
void choose_points(PointList& list,
                   const std::filesystem::path& folder,
                   const RunOptions& options) {
  std::vector<std::string> known;
  known.reserve(list.points.size());
  for (const Point& point : list.points) known.push_back(short_hash(point.hash));
  const auto begins = [](const Point& point, const std::string& beginning) {
    return !beginning.empty() && point.hash.starts_with(beginning);
  };
  for (const std::string& beginning : options.only) {
    if (std::ranges::any_of(list.points, [&](const Point& p) { return begins(p, beginning); })) {
      continue;
    }
    throw Error(
        ErrorKind::kConfig,
        fmt::format("--only {}: no point of this command line has a hash that begins so. {}",
                    beginning, suggestion(beginning, known)));
  }
  std::erase_if(list.points, [&](const Point& point) {
    const bool is_only =
        options.only.empty() || std::ranges::any_of(options.only, [&](const std::string& one) {
          return begins(point, one);
        });
    if (!is_only) return true;
    return options.retry_failed &&
           stored_point(point_folder(folder / "points", point.hash)).state != PointState::kFailed;
  });
}

/// The options that say which points are made, as they were typed.
std::vector<std::string> typed_options(const RunOptions& options) {
  std::vector<std::string> typed;
  if (!options.only.empty()) typed.emplace_back("--only");
  if (options.retry_failed) typed.emplace_back("--retry-failed");
  if (options.force) typed.emplace_back("--force");
  return typed;
}

}  // namespace

int run_command(const ConfigArguments& arguments,
                const std::string& command_line,
                const RunOptions& options) {
  if (is_paper_memory(arguments)) {
    refuse_for_paper_memory(typed_options(options));
    return paper_memory_command(arguments, command_line);
  }
  const std::string root = data_root().string();
  Sweep sweep{.list = list_points(compose_request(arguments), root, PointIdentity::kHashed,
                                  component_registry(arguments)),
              .root = root,
              .command_line = command_line,
              .terminal = takes_escapes(STDERR_FILENO),
              .plugins = arguments.plugins};
  say_notes(sweep.list);
  check_prompts(sweep.list.points, root);
  const SweepFolder place = sweep_folder(sweep.list, arguments.multirun);
  sweep.folder = place.path;
  if (!place.note.empty()) say("{}", place.note);
  if (sweep.list.duplicates > 0) {
    say("{} points, {} more are the same runs and left out", sweep.list.points.size(),
        sweep.list.duplicates);
  }
  for (const std::string& message : sweep.list.infeasible) {
    say("left out: {}", message);
  }
  choose_points(sweep.list, sweep.folder, options);
  if (sweep.list.points.empty()) {
    say("no point of {} has failed; nothing to make", sweep.folder.string());
    return 0;
  }
  sweep.force = options.force;
  const SweepOutcome outcome = run_sweep(sweep);
  const int exit_code = say_outcome(outcome, sweep);
  if (!outcome.interrupted && outcome.points_done > 0) {
    table_command({.folder = sweep.folder, .style = console_style()});
    report_command({.folder = sweep.folder});
  }
  return exit_code;
}

void register_run(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto shown = std::make_shared<ShownConfig>();
  const auto options = std::make_shared<RunOptions>();
  CLI::App& command =
      registrar.add("run", "run points, or go on with them", [=, typed = registrar.typed()] {
        check_shown(*shown, typed_options(*options), typed);
        return shown->is_asked() ? show_config_command(*config, *shown)
                                 : run_command(*config, typed, *options);
      });
  add_config_options(command, *config);
  command.add_option("--only", options->only, "only points whose hash begins so; repeatable")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--retry-failed", options->retry_failed, "only points that failed last time");
  command.add_flag("--force", options->force,
                   "make points again; what is there is kept until that is done");
  add_show_options(command, *shown);
}

}  // namespace kvscope
