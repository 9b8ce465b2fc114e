#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "core/base/console.h"
#include "core/config/hash.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/launch/slurm_queue.h"
#include "experiments/launch/submission.h"
#include "experiments/report/text.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/sweep_status.h"
#include "experiments/terminal.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct StatusOptions {
  std::string folder;
  bool watch = false;
  bool json = false;
};

/// What Slurm says of a folder's submissions.
struct SlurmStatus {
  std::vector<Submission> submissions{};
  std::optional<std::vector<SlurmTask>> tasks{};  ///< nullopt: it does not answer
  std::string silence{};                          ///< and says this

  [[nodiscard]] int64_t live() const {
    return tasks ? std::ranges::count_if(*tasks, &SlurmTask::is_live) : 0;
  }
};

SlurmStatus slurm_status(const fs::path& folder) {
  SlurmStatus slurm{.submissions = submissions(folder, "slurm")};
  std::vector<std::string> names;
  names.reserve(slurm.submissions.size());
  for (const Submission& one : slurm.submissions) names.push_back(one.frozen.job_name);
  slurm.tasks = slurm_tasks(names, slurm.silence);
  return slurm;
}

/// A task of Slurm that ended while points of it are left, with what its log said last.
struct LostTask {
  SlurmTask task;
  std::string log;
};

std::vector<LostTask> lost_tasks(const SweepStatus& sweep, const SlurmStatus& slurm) {
  std::map<std::string, PointState> state_of;
  for (const PointStatus& point : sweep.points) state_of[point.hash] = point.stored.state;
  std::vector<LostTask> lost;
  for (const SlurmTask& task : slurm.tasks.value_or(std::vector<SlurmTask>())) {
    if (task.is_live()) continue;
    for (const Submission& submission : slurm.submissions) {
      if (submission.frozen.job_name != task.job_name) continue;
      const bool is_left = std::ranges::any_of(submission.frozen.points, [&](const auto& one) {
        return one.task == task.task && state_of[one.hash] != PointState::kDone &&
               state_of[one.hash] != PointState::kRunning;
      });
      if (!is_left) continue;
      constexpr int64_t kLines = 5;
      lost.push_back(
          {.task = task,
           .log = last_lines(submission.folder.parent_path() / (task.id() + ".out"), kLines)});
    }
  }
  return lost;
}

std::string summary_line(const SweepStatus& sweep) {
  std::string text = fmt::format("{} points:", sweep.points.size());
  const char* comma = " ";
  for (const PointState state : {PointState::kDone, PointState::kRunning, PointState::kPart,
                                 PointState::kFailed, PointState::kMissing}) {
    const int64_t count = sweep.count(state);
    if (count == 0) continue;
    text += fmt::format("{}{} {}", comma, count, state_name(state));
    comma = ", ";
  }
  text += fmt::format("; {} of {} images", sweep.images_there(), sweep.images_asked());
  const double left = sweep.seconds_left();
  if (left > 0) text += fmt::format(", about {} left", duration_text(left));
  return text;
}

std::string images_text(const PointStatus& point) {
  return point.images > 0 ? fmt::format("{} of {} images", point.stored.images_there, point.images)
                          : fmt::format("{} images", point.stored.images_there);
}

std::string point_line(const PointStatus& point) {
  const StoredPoint& stored = point.stored;
  std::string text = fmt::format("  {:<8} {}{}", state_name(stored.state), short_hash(point.hash),
                                 point.title.empty() ? "" : "  " + point.title);
  text += "  " + images_text(point);
  if (stored.holder) text += fmt::format(", {}", stored.holder->text());
  if (point.seconds_per_image > 0) text += fmt::format(", {:.2f} s/image", point.seconds_per_image);
  if (stored.failure && stored.state == PointState::kFailed) {
    text += fmt::format(", {} ({} attempt{}, {})", stored.failure->failure_class,
                        stored.failure->attempts, stored.failure->attempts == 1 ? "" : "s",
                        stored.failure->failed_at);
    const std::string& message = stored.failure->message;
    text += "\n           " + message.substr(0, message.find('\n'));
  }
  return text;
}

std::vector<std::string> slurm_lines(const SweepStatus& sweep, const SlurmStatus& slurm) {
  std::vector<std::string> lines;
  if (slurm.submissions.empty()) return lines;
  if (!slurm.tasks) {
    lines.push_back("Slurm does not answer: " + slurm.silence);
    return lines;
  }
  std::map<std::string, std::map<std::string, int64_t>> states;  // of jobs
  for (const SlurmTask& task : *slurm.tasks) {
    const bool says_why = task.state == "PENDING" && task.reason != "None";
    ++states[task.job_id][says_why ? fmt::format("{} ({})", task.state, task.reason) : task.state];
  }
  for (const auto& [job, counts] : states) {
    std::string text = "Slurm job " + job + ":";
    const char* comma = " ";
    for (const auto& [state, count] : counts) {
      text += fmt::format("{}{} {}", comma, count, state);
      comma = ", ";
    }
    lines.push_back(text);
  }
  for (const LostTask& lost : lost_tasks(sweep, slurm)) {
    lines.push_back(fmt::format("  task {} is {} with points left{}", lost.task.id(),
                                lost.task.state, lost.log.empty() ? "" : "; its log ends:"));
    if (!lost.log.empty()) lines.push_back(lost.log);
  }
  return lines;
}

std::string status_text(const SweepStatus& sweep, const SlurmStatus& slurm) {
  std::string text = summary_line(sweep) + "\n";
  for (const PointState state : {PointState::kRunning, PointState::kPart, PointState::kFailed}) {
    for (const PointStatus& point : sweep.points) {
      if (point.stored.state == state) text += point_line(point) + "\n";
    }
  }
  for (const std::string& line : slurm_lines(sweep, slurm)) text += line + "\n";
  const bool is_idle = sweep.count(PointState::kRunning) == 0 && slurm.live() == 0;
  if (!sweep.has_ended() && is_idle) {
    text += "nobody is working on it";
    if (!sweep.command_line.empty()) text += "; this goes on:\n  " + sweep.command_line;
    text += "\n";
  }
  return text;
}

Json status_json(const SweepStatus& sweep, const SlurmStatus& slurm) {
  Json json{{"points", Json::array()}};
  Json counts;
  for (const PointState state : {PointState::kDone, PointState::kRunning, PointState::kPart,
                                 PointState::kFailed, PointState::kMissing}) {
    counts[std::string(state_name(state))] = sweep.count(state);
  }
  json["counts"] = counts;
  json["images_there"] = sweep.images_there();
  json["images_asked"] = sweep.images_asked();
  const double left = sweep.seconds_left();
  json["seconds_left"] = left > 0 ? Json(left) : Json();
  json["command_line"] = sweep.command_line;
  for (const PointStatus& point : sweep.points) {
    const StoredPoint& stored = point.stored;
    Json one{{"hash", point.hash},
             {"title", point.title},
             {"state", state_name(stored.state)},
             {"images_there", stored.images_there},
             {"images_asked", point.images}};
    if (stored.holder)
      one["holder"] = {{"host", stored.holder->host}, {"process", stored.holder->process}};
    if (point.seconds_per_image > 0) one["seconds_per_image"] = point.seconds_per_image;
    if (stored.failure) {
      one["failure"] = {{"class", stored.failure->failure_class},
                        {"message", stored.failure->message},
                        {"attempts", stored.failure->attempts},
                        {"failed_at", stored.failure->failed_at}};
    }
    json["points"].push_back(one);
  }
  if (slurm.submissions.empty()) return json;
  if (!slurm.tasks) {
    json["slurm"] = {{"error", slurm.silence}};
    return json;
  }
  json["slurm"] = {{"tasks", Json::array()}};
  for (const SlurmTask& task : *slurm.tasks) {
    json["slurm"]["tasks"].push_back({{"id", task.id()},
                                      {"state", task.state},
                                      {"reason", task.reason},
                                      {"job_name", task.job_name}});
  }
  return json;
}

/// Text that replaces itself on a terminal.
class Screen {
 public:
  explicit Screen(bool changes) : changes_(changes) {}

  void show(const std::string& text) {
    if (!changes_) {
      say_if_news(text.substr(0, text.find('\n') + 1));
    } else {
      // Back over what stands there, then clear to the end of the screen.
      if (rows_ > 0) fmt::print("\x1b[{}A", rows_);
      fmt::print("\r\x1b[J{}", fitted(text));
    }
    std::fflush(stdout);
  }

 private:
  /// Lines that are no wider than the terminal, and not more of them than it shows.
  std::string fitted(const std::string& text) {
    const int64_t columns = terminal_columns(STDOUT_FILENO);
    std::string fitted;
    rows_ = 0;
    for (size_t at = 0; at < text.size(); ++rows_) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      fitted += (columns > 1 ? shortened(line, columns - 1) : line) + "\n";
      at = end + 1;
    }
    return fitted;
  }

  /// A line of a log: where a point has ended or begun, and now and then besides.
  void say_if_news(const std::string& line) {
    constexpr std::chrono::seconds kQuietPeriod{30};
    const auto now = std::chrono::steady_clock::now();
    const std::string points = line.substr(0, line.find(';'));
    if (points == last_ && now - last_line_ < kQuietPeriod) return;
    fmt::print("{}", line);
    last_ = points;
    last_line_ = now;
  }

  bool changes_;
  int64_t rows_ = 0;
  std::string last_;
  std::chrono::steady_clock::time_point last_line_{};
};

int exit_code_of(const SweepStatus& sweep) {
  return sweep.count(PointState::kFailed) > 0 ? 1 : 0;
}

int watch(const fs::path& folder) {
  constexpr std::chrono::milliseconds kLook{500};
  constexpr std::chrono::seconds kQuestion{5};
  constexpr std::chrono::seconds kLongestPause{10};  // between two points, or two tasks
  using Clock = std::chrono::steady_clock;
  const InterruptGuard interrupt("no longer looking; whoever makes its points is not stopped");
  Screen screen(takes_escapes(STDOUT_FILENO));
  auto last_work = Clock::now();
  auto next_question = Clock::now();
  SlurmStatus slurm;
  for (;;) {
    if (Clock::now() >= next_question) {
      slurm = slurm_status(folder);
      next_question = Clock::now() + kQuestion;
    }
    const SweepStatus sweep = sweep_status(folder);
    screen.show(status_text(sweep, slurm));
    const bool is_silent = !slurm.submissions.empty() && !slurm.tasks;
    if (sweep.count(PointState::kRunning) > 0 || slurm.live() > 0 || is_silent) {
      last_work = Clock::now();
    }
    const bool has_stopped = Clock::now() - last_work > kLongestPause;
    if (sweep.has_ended() || has_stopped) {
      if (has_stopped && !sweep.has_ended()) say("nobody has worked on it for a while");
      return exit_code_of(sweep);
    }
    for (auto slept = Clock::now(); Clock::now() - slept < kLook && !interrupt.requested();) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (interrupt.requested()) return 130;
  }
}

int status_command(const StatusOptions& options) {
  const fs::path folder = options.folder;
  if (options.watch && !options.json) return watch(folder);
  const SweepStatus sweep = sweep_status(folder);
  const SlurmStatus slurm = slurm_status(folder);
  fmt::print(
      "{}",
      options.json
          ? status_json(sweep, slurm).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
          : status_text(sweep, slurm));
  return exit_code_of(sweep);
}

}  // namespace

void register_status(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App& command = registrar.add("status", "how far a sweep is, from anywhere",
                                    [=] { return status_command(*options); });
  command.add_option("folder", options->folder, "a results folder")->required();
  CLI::Option* watched =
      command.add_flag("--watch", options->watch, "look again and again until the sweep ends");
  command.add_flag("--json", options->json, "for programs")->excludes(watched);
}

}  // namespace kvscope
