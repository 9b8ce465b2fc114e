#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/sweep_outcome.h"
#include "experiments/completion/completion.h"
#include "experiments/launch/external_program.h"
#include "experiments/sweep/frozen_points.h"
#include "experiments/sweep/prompt_check.h"
#include "experiments/sweep/runner.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

struct WorkOptions {
  std::string folder;
  std::string points;
  std::optional<int64_t> task;
  ConfigArguments config;  // its plug-ins
};

/// The points of one task, or all.
FrozenPoints points_of_task(const fs::path& file, const std::optional<int64_t>& task) {
  FrozenPoints frozen = read_frozen_points(file);
  if (task) {
    std::erase_if(frozen.points, [&](const FrozenPoints::One& one) { return one.task != *task; });
  }
  if (frozen.points.empty()) {
    throw Error(ErrorKind::kConfig,
                task ? fmt::format("--task {}: {} has no points of it", *task, file.string())
                     : file.string() + ": has no points");
  }
  return frozen;
}

/// Relative paths are those of the sweep's command line.
void enter(const std::string& folder) {
  std::error_code error;
  fs::current_path(folder, error);
  if (!error) return;
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{}: the folder that the sweep was started in cannot be entered on this "
                          "machine: {}",
                          folder, error.message()));
}

/// Near its time limit a task of Slurm is queued again, unless it would only begin the same anew.
int queue_again(const SweepOutcome& outcome, int otherwise) {
  const char* job = std::getenv("SLURM_JOB_ID");
  if (job == nullptr) return otherwise;
  if (outcome.images_made == 0) {
    say("the time limit is too near for a single batch: not queued again. Give tasks more "
        "launch.slurm.minutes");
    return 1;
  }
  const auto answer = run_external({"scontrol", "requeue", job});
  if (answer && answer->exit_code == 0) {
    say("near the time limit: queued again as job {}", job);
    return 0;
  }
  say("near the time limit, and could not be queued again: {}; the command of the sweep submits "
      "what is missing",
      answer ? answer->errors : "there is no scontrol in PATH");
  return otherwise;
}

/// The plug-ins that a sweep was made with, with whole paths.
std::vector<std::string> plugins_of(const FrozenPoints& frozen) {
  std::vector<std::string> plugins;
  const std::vector<std::string> words = shell_words(frozen.command_line);
  constexpr std::string_view kOption = "--plugin";
  constexpr std::string_view kJoined = "--plugin=";
  for (size_t i = 0; i < words.size(); ++i) {
    std::string plugin;
    if (words[i] == kOption && i + 1 < words.size()) {
      plugin = words[++i];
    } else if (words[i].starts_with(kJoined)) {
      plugin = words[i].substr(kJoined.size());
    }
    if (!plugin.empty()) {
      plugins.push_back((fs::path(frozen.working_folder) / plugin).lexically_normal().string());
    }
  }
  return plugins;
}

/// The points of a sweep. Where that cannot be, and it was made with plug-ins that were not named
/// here, the error names them.
PointList points_with_plugins(const FrozenPoints& frozen, const WorkOptions& options) {
  try {
    return thawed(frozen, component_registry(options.config));
  } catch (const Error& error) {
    std::vector<std::string> missing = plugins_of(frozen);
    std::erase_if(missing, [&](const std::string& plugin) {
      const auto& named = options.config.plugins;
      return std::ranges::find(named, plugin) != named.end();
    });
    if (error.kind() != ErrorKind::kConfig || missing.empty()) throw;
    std::string words;
    for (const std::string& plugin : missing) words += " --plugin " + shell_word(plugin);
    throw Error(ErrorKind::kConfig,
                fmt::format("{}\nThe sweep was made with a plug-in: kvscope work {}{}",
                            error.what(), shell_word(options.folder), words));
  }
}

int work_command(WorkOptions& options, const std::string& command_line) {
  const fs::path folder = fs::absolute(options.folder);
  const fs::path file =
      options.points.empty() ? frozen_points_file(folder) : fs::absolute(options.points);
  for (std::string& library : options.config.plugins) library = fs::absolute(library).string();
  const FrozenPoints frozen = points_of_task(file, options.task);
  enter(frozen.working_folder);
  Sweep sweep{.list = points_with_plugins(frozen, options),
              .folder = folder,
              .root = frozen.root,
              .command_line = command_line,
              .terminal = takes_escapes(STDERR_FILENO),
              .is_share = true};
  for (Point& point : sweep.list.points) {
    point.launch.launcher = "serial";
    point.launch.workers = 1;
  }
  check_prompts(sweep.list.points, frozen.root);
  const SweepOutcome outcome = run_sweep(sweep);
  const int exit_code = say_outcome(outcome, sweep);
  return outcome.near_time_limit ? queue_again(outcome, exit_code) : exit_code;
}

}  // namespace

void register_work(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<WorkOptions>();
  CLI::App& command =
      registrar.add("work", "make points of a sweep that another program has begun",
                    [=, typed = registrar.typed()] { return work_command(*options, typed); });
  command.add_option("folder", options->folder, "the sweep's results folder")->required();
  command.add_option("--points", options->points,
                     "file of the points as the sweep froze them; FOLDER/frozen_points.json");
  command.add_option("--task", options->task, "only the points of this task, counted from 0");
  add_plugin_option(command, options->config);
}

}  // namespace kvscope
