#include "experiments/commands/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "core/base/console.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/results/paper_memory.h"
#include "experiments/commands/results/report.h"
#include "experiments/commands/results/table.h"
#include "experiments/commands/sweep_outcome.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/prompt_check.h"
#include "experiments/sweep/runner.h"
#include "experiments/sweep/sweep_folder.h"
#include "experiments/terminal.h"

namespace kvscope {
int run_command(const ConfigArguments& arguments, const std::string& command_line) {
  if (is_paper_memory(arguments)) return paper_memory_command(arguments, command_line);
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
  const SweepOutcome outcome = run_sweep(sweep);
  const int exit_code = say_outcome(outcome, sweep);
  if (!outcome.interrupted && outcome.points_done > 0) {
    table_command({.folder = sweep.folder, .style = console_style()});
    report_command({.folder = sweep.folder});
  }
  return exit_code;
}

void register_run(const CommandRegistrar& registrar) {
  struct Shown {
    std::string part;
    bool resolve = false;
    std::string package;
  };
  const auto config = std::make_shared<ConfigArguments>();
  const auto shown = std::make_shared<Shown>();
  CLI::App& command =
      registrar.add("run", "run points, or go on with them", [=, typed = registrar.typed()] {
        return shown->part.empty()
                   ? run_command(*config, typed)
                   : show_config_command(*config, shown->part, shown->resolve, shown->package);
      });
  add_config_options(command, *config);
  command.add_option("-c,--cfg", shown->part, "print the config instead: job, hydra or all");
  command.add_flag("--resolve", shown->resolve, "with interpolations filled in");
  command.add_option("-p,--package", shown->package, "only what is below this key");
}

}  // namespace kvscope
