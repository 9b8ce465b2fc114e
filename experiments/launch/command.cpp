#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "experiments/launch/external_program.h"
#include "experiments/launch/folder_watch.h"
#include "experiments/launch/launcher.h"
#include "experiments/launch/submission.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKind = "command";
constexpr std::array<std::string_view, 5> kPlaceholders = {"program", "dir", "points", "task",
                                                           "tasks"};

/// A word of launch.command with its {placeholders} filled in by `value_of`, which is asked for
/// known ones only. Throws Error(kConfig) for others.
template <class ValueOf>
std::string filled(const std::string& word, const ValueOf& value_of) {
  std::string text;
  for (size_t at = 0; at < word.size();) {
    const size_t open = word.find('{', at);
    text += word.substr(at, open - at);
    if (open == std::string::npos) break;
    const size_t close = word.find('}', open);
    const std::string name =
        close == std::string::npos ? word.substr(open) : word.substr(open + 1, close - open - 1);
    if (std::ranges::find(kPlaceholders, name) == kPlaceholders.end()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("launch.command: '{}' has no placeholder that is known. {}", word,
                              suggestion(name, {kPlaceholders.begin(), kPlaceholders.end()})));
    }
    text += value_of(name);
    at = close + 1;
  }
  return text;
}

class CommandLauncher : public Launcher {
 public:
  explicit CommandLauncher(LaunchPlace place) : place_(std::move(place)) {
    if (place_.settings.options.command.empty()) {
      throw Error(ErrorKind::kConfig,
                  "launcher=command needs launch.command=[WORD,...] on the command line, such as "
                  "launch.command=[ssh,node1,kvscope,work,'{dir}',--points,'{points}',--task,"
                  "'{task}']");
    }
    for (const std::string& word : place_.settings.options.command) {
      filled(word, [](const std::string&) { return ""; });
    }
  }

  /// Devices and weights are tried where they are.
  void try_out(const std::function<void()>& /*look*/) override {}

  void launch(std::span<const Point* const> points,
              const MakePoint& /*make*/,
              const LaunchEvents& events,
              const std::function<bool()>& stop_asked) override {
    if (points.empty()) return;
    FolderWatch watch(points, place_.folder / "points", events);
    const Submission submission =
        new_submission(place_, kKind, points, place_.settings.options.tasks, "");
    std::vector<Task> tasks;
    for (int64_t task = 0; task < submission.tasks(); ++task) {
      const fs::path log = submission.folder / fmt::format("{}.out", task);
      tasks.push_back({.program = StartedProgram(words_of(submission, task), log), .log = log});
    }
    events.note(fmt::format("started {} commands; what they say is in {}", tasks.size(),
                            submission.folder.string()));
    bool told_to_end = false;
    while (watch.open() > 0 && std::ranges::any_of(tasks, &Task::runs)) {
      constexpr std::chrono::milliseconds kLook{200};
      std::this_thread::sleep_for(kLook);
      for (Task& task : tasks) task.runs = !task.program.exit_code();
      watch.look();
      if (!stop_asked() || told_to_end) continue;
      told_to_end = true;
      for (const Task& task : tasks) task.program.ask_to_end();
    }
    watch.look();
    if (told_to_end) return;
    for (int64_t i = 0; i < std::ssize(points); ++i) {
      if (!watch.is_open(i)) continue;
      Task& task = tasks[submission.frozen.points[static_cast<size_t>(i)].task];
      const std::string said = last_lines(task.log, 3);
      watch.give_up(i, fmt::format("its command ended with exit code {} and has not finished it; "
                                   "the same command goes on with it{}{}",
                                   task.program.exit_code().value_or(0),
                                   said.empty() ? "" : "; it ended saying:\n", said));
    }
  }

  [[nodiscard]] const char* on_interrupt() const override {
    return "ending the commands and waiting for their batches at work; Ctrl-C again does not wait. "
           "What such a command has started on another machine may go on with its points";
  }

 private:
  struct Task {
    StartedProgram program;
    fs::path log;
    bool runs = true;
  };

  [[nodiscard]] std::vector<std::string> words_of(const Submission& submission,
                                                  int64_t task) const {
    const auto value_of = [&](const std::string& name) {
      if (name == "program") return own_program();
      if (name == "dir") return fs::absolute(place_.folder).string();
      if (name == "points") return submission.points_file().string();
      return fmt::format("{}", name == "task" ? task : submission.tasks());
    };
    std::vector<std::string> words;
    for (const std::string& word : place_.settings.options.command) {
      words.push_back(filled(word, value_of));
    }
    return words;
  }

  LaunchPlace place_;
};

}  // namespace

std::unique_ptr<Launcher> make_command_launcher(LaunchPlace place) {
  return std::make_unique<CommandLauncher>(std::move(place));
}

}  // namespace kvscope
