#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "experiments/launch/external_program.h"
#include "experiments/launch/folder_watch.h"
#include "experiments/launch/launcher.h"
#include "experiments/launch/slurm_queue.h"
#include "experiments/launch/slurm_script.h"
#include "experiments/launch/submission.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kKind = "slurm";
constexpr const char* kNoSbatch = "there is no sbatch in PATH; run where jobs can be submitted";

std::string new_job_name() {
  std::random_device random;
  return fmt::format("kvscope-{:08x}", random());
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kEnvironment, "launcher=slurm: " + what);
}

/// nullopt where there is no sbatch.
std::optional<ProgramAnswer> sbatch(const std::vector<std::string>& options) {
  std::vector<std::string> words{"sbatch"};
  words.insert(words.end(), options.begin(), options.end());
  return run_external(words);
}

/// What `sbatch --test-only` also says while nodes are down, or have not yet reported to a
/// controller that was started again; then jobs are queued nevertheless.
constexpr const char* kNoNodeNow = "Requested node configuration is not available";

/// How the points of this sweep stand with the scheduler.
class SlurmSweep {
 public:
  SlurmSweep(const LaunchPlace& place,
             std::span<const Point* const> points,
             const LaunchEvents& events)
      : place_(place),
        points_(points),
        events_(events),
        watch_(points, place.folder / "points", events),
        places_(points.size()) {}

  /// Finds the points that tasks of earlier submissions are still to make, and submits the others.
  void submit() {
    submissions_ = submissions(place_.folder, kKind);
    const auto tasks = ask();
    if (!tasks) refuse("squeue: " + silence_);
    std::vector<const Point*> left;
    std::vector<size_t> numbers;
    for (size_t i = 0; i < points_.size(); ++i) {
      find_task(i, *tasks);
      if (places_[i].submission >= 0) continue;
      left.push_back(points_[i]);
      numbers.push_back(i);
    }
    if (left.size() < points_.size()) {
      events_.note(fmt::format("{} of {} points are in the queue already",
                               points_.size() - left.size(), points_.size()));
    }
    if (left.empty()) return;
    const SlurmOptions& options = place_.settings.options.slurm;
    const auto count = std::ssize(left);
    const int64_t wanted = (count + options.points_per_task - 1) / options.points_per_task;
    Submission made = new_submission(place_, kKind, left, wanted, new_job_name());
    const fs::path script = made.folder / "array.sbatch";
    write_file_atomically(script, slurm_script({.options = options,
                                                .job_name = made.frozen.job_name,
                                                .working_folder = made.frozen.working_folder,
                                                .log_folder = made.folder.parent_path().string(),
                                                .tasks = made.tasks(),
                                                .work = work_words(place_, made),
                                                .command_line = place_.command_line}));
    const auto answer = sbatch({"--parsable", script.string()});
    if (!answer) refuse(kNoSbatch);
    if (answer->exit_code != 0) refuse(answer->errors);
    const std::string job = answer->output.substr(0, answer->output.find_first_of(";\n"));
    write_file_atomically(made.folder / "job", job + "\n");
    events_.note(fmt::format("submitted {} points as job {}, an array of {} tasks ({})", count, job,
                             made.tasks(), script.string()));
    for (size_t k = 0; k < numbers.size(); ++k) {
      places_[numbers[k]] = {
          .submission = std::ssize(submissions_), .task = made.frozen.points[k].task, .job = job};
    }
    submissions_.push_back(std::move(made));
  }

  void leave() {
    for (int64_t i = 0; i < std::ssize(points_); ++i) {
      watch_.leave(i, {.state = PointOutcome::State::kElsewhere});
    }
    events_.note(
        fmt::format("kvscope status {} says how far they are; the same command waits for "
                    "them and submits what is missing then",
                    place_.folder.string()));
  }

  void wait(const std::function<bool()>& stop_asked) {
    constexpr std::chrono::milliseconds kLook{500};
    constexpr std::chrono::milliseconds kNap{100};
    auto next_look = Clock::now();
    while (!stop_asked()) {
      if (Clock::now() >= next_look) {
        watch_.look();
        if (watch_.open() == 0) return;
        if (Clock::now() >= next_question_) look_at_queue();
        next_look = Clock::now() + kLook;
      }
      std::this_thread::sleep_for(kNap);
    }
  }

 private:
  struct Place {
    int64_t submission = -1;
    int64_t task = 0;
    std::string job{};
    int64_t gone = 0;  ///< how often in a row it was not in the queue
  };

  std::optional<std::vector<SlurmTask>> ask() {
    std::vector<std::string> names;
    names.reserve(submissions_.size());
    for (const Submission& one : submissions_) names.push_back(one.frozen.job_name);
    return slurm_tasks(names, silence_);
  }

  /// The place of a point in a submission whose task is live.
  void find_task(size_t point, const std::vector<SlurmTask>& tasks) {
    for (int64_t k = std::ssize(submissions_) - 1; k >= 0; --k) {
      int64_t number = 0;
      if (!submissions_[k].has(*points_[point], number)) continue;
      for (const SlurmTask& task : tasks) {
        if (task.task != number || task.job_name != submissions_[k].frozen.job_name) continue;
        if (!task.is_live()) continue;
        places_[point] = {.submission = k, .task = number, .job = task.job_id};
        return;
      }
    }
  }

  /// Points whose tasks are gone, although they are not done, have failed. Asked ever less often:
  /// the scheduler has others to answer.
  void look_at_queue() {
    constexpr std::chrono::milliseconds kLongest{20'000};
    next_question_ = Clock::now() + period_;
    period_ = std::min(kLongest, period_ * 3 / 2);
    const auto tasks = ask();
    if (!tasks) {
      if (!std::exchange(is_silent_, true)) {
        events_.note(fmt::format("the scheduler does not answer ({}); waiting for it", silence_));
      }
      return;
    }
    if (std::exchange(is_silent_, false)) events_.note("the scheduler answers again");
    for (int64_t i = 0; i < std::ssize(points_); ++i) {
      if (!watch_.is_open(i) || watch_.is_at_work(i)) continue;
      Place& place = places_[static_cast<size_t>(i)];
      const Submission& submission = submissions_[place.submission];
      const auto task = std::ranges::find_if(*tasks, [&](const SlurmTask& one) {
        return one.task == place.task && one.job_name == submission.frozen.job_name;
      });
      const bool live = task != tasks->end() && task->is_live();
      place.gone = live ? 0 : place.gone + 1;
      // What it wrote last may not be seen on this machine yet.
      constexpr int64_t kSure = 2;
      if (place.gone < kSure) continue;
      const std::string state = task == tasks->end() ? "no longer known" : task->state;
      const std::string id = fmt::format("{}_{}", place.job, place.task);
      const fs::path log = submission.folder.parent_path() / (id + ".out");
      const std::string said = last_lines(log, 3);
      watch_.give_up(
          i, fmt::format("Slurm's task {} is {} and has not finished it; the same command submits "
                         "it again{}{}",
                         id, state, said.empty() ? "" : "; its log ends:\n", said));
    }
  }

  const LaunchPlace& place_;
  std::span<const Point* const> points_;
  const LaunchEvents& events_;
  FolderWatch watch_;
  std::vector<Submission> submissions_;
  std::vector<Place> places_;  // by point
  std::string silence_;
  bool is_silent_ = false;
  std::chrono::milliseconds period_{1000};
  Clock::time_point next_question_ = Clock::now() + period_;
};

class SlurmLauncher : public Launcher {
 public:
  explicit SlurmLauncher(LaunchPlace place) : place_(std::move(place)) {
    const SlurmOptions& options = place_.settings.options.slurm;
    constexpr int64_t kMinute = 60;
    if (options.minutes && *options.minutes * kMinute <= options.stop_seconds) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("launch.slurm.stop_seconds={}: is all of launch.slurm.minutes={}; "
                              "expected less than {} s",
                              options.stop_seconds, *options.minutes, *options.minutes * kMinute));
    }
  }

  /// Devices and weights are tried where they are: in the tasks. Here the scheduler is asked
  /// whether it would take them.
  void try_out(const std::function<void()>& /*look*/) override {
    if (verdict().empty()) refuse(kNoSbatch);
  }

  [[nodiscard]] std::string verdict() const override {
    std::vector<std::string> options =
        sbatch_options({.options = place_.settings.options.slurm,
                        .job_name = "kvscope-test",
                        .working_folder = fs::current_path().string(),
                        .log_folder = fs::absolute(place_.folder).string()});
    options.insert(options.begin(), "--test-only");
    options.emplace_back("--wrap=true");
    const auto answer = sbatch(options);
    if (!answer) return "";
    std::string said = answer->errors;
    if (answer->exit_code != 0 && said.find(kNoNodeNow) == std::string::npos) refuse(said);
    while (said.ends_with('\n')) said.pop_back();
    return said.empty() ? "sbatch would take the jobs" : said;
  }

  void launch(std::span<const Point* const> points,
              const MakePoint& /*make*/,
              const LaunchEvents& events,
              const std::function<bool()>& stop_asked) override {
    if (points.empty()) return;
    SlurmSweep sweep(place_, points, events);
    sweep.submit();
    if (!place_.settings.options.slurm.wait) return sweep.leave();
    sweep.wait(stop_asked);
  }

  [[nodiscard]] const char* on_interrupt() const override {
    return "no longer waiting; the jobs stay in Slurm's queue, and the same command waits for them "
           "again (squeue lists them, scancel --name=NAME ends them, kvscope status DIR names "
           "them)";
  }

 private:
  LaunchPlace place_;
};

}  // namespace

std::unique_ptr<Launcher> make_slurm_launcher(LaunchPlace place) {
  return std::make_unique<SlurmLauncher>(std::move(place));
}

}  // namespace kvscope
