#include "experiments/launch/launch_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/base/error.h"
#include "core/config/path.h"
#include "experiments/launch/device_slot.h"

namespace kvscope {
namespace {

constexpr Identity kNone = Identity::kNone;
constexpr const char* kSlots = "launch.slots";

/// A word that means to a scheduler's option, and to a line of a script, nothing but itself.
bool is_plain(const std::string& word) {
  constexpr std::string_view kAlso = "._:,=+@%*/&|!()[]-";
  return !word.empty() && word.front() != '-' && std::ranges::all_of(word, [&](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           kAlso.find(letter) != std::string_view::npos;
  });
}

/// A text or a number, as names of accounts and sizes are.
std::optional<std::string> plain_word(Options& options, const char* key, const char* help) {
  const ConfigNode* node = options.value({.key = key,
                                          .accepts = "a word or number, as sbatch takes it",
                                          .help = help,
                                          .identity = kNone});
  if (node == nullptr || node->is_null()) return std::nullopt;
  std::string word =
      node->kind() == ConfigKind::kInt ? fmt::format("{}", node->as_int64()) : node->as_string();
  if (!is_plain(word)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}' is no word of an option of sbatch: expected letters, digits "
                            "and . _ : , = + @ % * / & | ! ( ) [ ] -",
                            options.place(key), word));
  }
  return word;
}

bool has_control_character(const std::string& word) {
  return std::ranges::any_of(word,
                             [](char letter) { return static_cast<unsigned char>(letter) < ' '; });
}

/// Words that may run something: they count only where the user typed them.
std::vector<std::string> typed_words(Options& options, const char* key, const char* help) {
  const ConfigNode* node = options.value({.key = key,
                                          .accepts = "list of texts, on the command line only",
                                          .default_value = ConfigNode::list(),
                                          .help = help,
                                          .identity = kNone});
  if (node == nullptr || node->is_null()) return {};
  const std::vector<std::string> words = node->as_string_list();
  bool is_typed = from_command_line(node->origin());
  if (node->is_list()) {
    is_typed = std::ranges::all_of(
        node->items(), [](const ConfigNode& item) { return from_command_line(item.origin()); });
  }
  if (!is_typed) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} may stand on the command line only: configuration files run "
                            "nothing",
                            options.place(key)));
  }
  for (const std::string& word : words) {
    if (!has_control_character(word)) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}' has a line break or another control character in it",
                            options.place(key), word));
  }
  return words;
}

std::optional<std::vector<std::string>> read_slots(Options& options) {
  const ConfigNode* node = options.value(
      {.key = kSlots,
       .accepts = "list of numbers or names of GPUs, as CUDA_VISIBLE_DEVICES has them",
       .help = "slots of the launcher processes, of which each job has one alone on this machine: "
               "as many jobs at once as slots, at most. null: every visible GPU with device=cuda, "
               "the one with cuda:N, none with cpu; []: none, jobs share what there is",
       .identity = kNone});
  if (node == nullptr || node->is_null()) return std::nullopt;
  std::vector<std::string> slots;
  const std::vector<ConfigNode> items =
      node->is_list() ? node->items() : std::vector<ConfigNode>{*node};
  for (const ConfigNode& item : items) {
    const std::string name =
        item.kind() == ConfigKind::kInt ? fmt::format("{}", item.as_int64()) : item.as_string();
    if (!DeviceSlot::is_name(name)) {
      throw Error(ErrorKind::kConfig, fmt::format("{}: '{}' is no number or name of a GPU",
                                                  options.place(kSlots), name));
    }
    if (std::ranges::find(slots, name) != slots.end()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: {} stands there twice; a slot has one job at a time",
                              options.place(kSlots), name));
    }
    slots.push_back(name);
  }
  return slots;
}

SlurmOptions read_slurm(Options& options) {
  constexpr int64_t kMost = 1'000'000;
  SlurmOptions slurm;
  const auto number = [&](const char* key, const char* unit, const char* help) {
    return options.integer_or_null(
        {.key = key, .min = 1, .max = kMost, .unit = unit, .help = help, .identity = kNone});
  };
  slurm.partition = plain_word(options, "launch.slurm.partition", "sbatch --partition");
  slurm.account = plain_word(options, "launch.slurm.account", "sbatch --account");
  slurm.qos = plain_word(options, "launch.slurm.qos", "sbatch --qos");
  slurm.constraint = plain_word(options, "launch.slurm.constraint", "sbatch --constraint");
  slurm.reservation = plain_word(options, "launch.slurm.reservation", "sbatch --reservation");
  slurm.nodes = plain_word(options, "launch.slurm.nodes", "sbatch --nodelist");
  slurm.exclude = plain_word(options, "launch.slurm.exclude", "sbatch --exclude");
  slurm.gres = plain_word(options, "launch.slurm.gres", "sbatch --gres, such as gpu:1");
  slurm.memory =
      plain_word(options, "launch.slurm.memory", "of a task: sbatch --mem, MiB or such as 8G");
  slurm.cpus = number("launch.slurm.cpus", "", "CPUs of a task: sbatch --cpus-per-task");
  slurm.minutes = number("launch.slurm.minutes", "minutes", "time limit of a task: sbatch --time");
  slurm.at_once = number("launch.slurm.at_once", "tasks",
                         "running at once, at most: the array's %N; null: no limit");
  slurm.points_per_task = options.integer({.key = "launch.slurm.points_per_task",
                                           .default_value = slurm.points_per_task,
                                           .min = 1,
                                           .max = kMost,
                                           .help = "points of one task of the array",
                                           .identity = kNone});
  slurm.stop_seconds = options.integer({.key = "launch.slurm.stop_seconds",
                                        .default_value = slurm.stop_seconds,
                                        .min = 1,
                                        .max = kMost,
                                        .unit = "s",
                                        .help = "so long before its time limit a task finishes "
                                                "the batch at work and is queued again",
                                        .identity = kNone});
  slurm.wait = options.flag({.key = "launch.slurm.wait",
                             .default_value = slurm.wait,
                             .help = "wait until all points have ended; false: submit and return",
                             .identity = kNone});
  slurm.extra = typed_words(options, "launch.slurm.extra", "more options of sbatch, --NAME=VALUE");
  for (const std::string& word : slurm.extra) {
    if (word.starts_with("--") && word.size() > 2) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}' is no option; expected --NAME or --NAME=VALUE",
                            options.place("launch.slurm.extra"), word));
  }
  slurm.setup = typed_words(options, "launch.slurm.setup",
                            "lines of the script before kvscope starts, such as module load cuda");
  return slurm;
}

}  // namespace

std::string launcher_that_reads(const std::string& key) {
  if (key.starts_with("launch.slurm.")) return "slurm";
  return key == kSlots ? "processes" : "command";
}

LaunchOptions read_launch_options(Options& options) {
  constexpr int64_t kMostTasks = 10'000;
  LaunchOptions launch;
  launch.slots = read_slots(options);
  launch.tasks = options.integer({.key = "launch.tasks",
                                  .default_value = launch.tasks,
                                  .min = 1,
                                  .max = kMostTasks,
                                  .help = "how often the launcher command runs launch.command: the "
                                          "points are shared among these",
                                  .identity = kNone});
  launch.command = typed_words(
      options, "launch.command",
      "what the launcher command runs, no shell: [ssh,'node{task}',kvscope,work,'{dir}',--points,"
      "'{points}',--task,'{task}']");
  launch.slurm = read_slurm(options);
  return launch;
}

}  // namespace kvscope
