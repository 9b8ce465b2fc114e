#include "experiments/sweep/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "analysis/metrics/registry.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/config/hash.h"
#include "experiments/launch/launcher.h"
#include "experiments/sweep/failure_settings.h"
#include "experiments/sweep/former_point.h"
#include "experiments/sweep/frozen_points.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/point_state.h"
#include "experiments/sweep/point_worker.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/results_folder.h"
#include "experiments/sweep/run_manifest.h"
#include "experiments/sweep/run_point.h"
#include "experiments/sweep/sweep_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// "snapkv, 10 %", with the model before it where a sweep has several.
std::string point_title(const Point& point, bool names_model) {
  return fmt::format("{}{}, {}", names_model ? point.label("model") + ", " : "",
                     point.label("policy"), point.label("budget"));
}

/// KV bytes of a batch going into the last step, by the plan.
int64_t planned_kv_bytes(const Point& point) {
  const auto steps = static_cast<int64_t>(point.plan.geometry().steps.size());
  return steps == 0
             ? 0
             : point.plan.live_bytes(steps - 1, point.generation.rows(point.generation.batch));
}

bool has_several_models(const std::vector<Point>& points) {
  return std::ranges::any_of(points, [&](const Point& point) {
    return point.label("model") != points.front().label("model");
  });
}

using State = PointOutcome::State;

class SweepRunner {
 public:
  explicit SweepRunner(const Sweep& sweep)
      : sweep_(sweep),
        points_(sweep.list.points),
        names_model_(has_several_models(points_)),
        points_folder_(sweep.folder / "points"),
        failing_(failure_settings(points_.front().config)),
        worker_(sweep.root, points_folder_, sweep.command_line),
        launcher_(chosen_launcher({.settings = points_.front().launch,
                                   .workers = points_.front().launch.workers.value_or(cores()),
                                   .folder = sweep.folder,
                                   .root = sweep.root,
                                   .command_line = sweep.command_line,
                                   .plugins = sweep.plugins})) {}

  SweepOutcome run() {
    for (const Point& point : points_) {
      if (!sweep_.force && finished(point)) done_.insert(&point);
    }
    check_first();
    prepare_results_folder(sweep_.folder);
    if (sweep_.force) begin_again();
    record();
    int64_t images = 0;
    for (const Point& point : points_) {
      if (done_.contains(&point)) {
        ++outcome_.points_done;
        continue;
      }
      images += point.images() - images_known(point);
      open_points_.push_back(&point);
    }
    if (open_points_.empty()) return outcome_;
    std::optional<RunManifest> manifest;  // a share of a sweep is told of in that of the whole
    if (!sweep_.is_share) {
      // Children may be forked after this: no device is asked what it is.
      manifest.emplace(sweep_.folder, worker_.provenance_of(*open_points_.front()), std::nullopt,
                       images_of_all());
      warn_about_references();
    }

    Progress progress(std::ssize(open_points_), images, sweep_.terminal);
    if (outcome_.points_done > 0) {
      progress.note(
          fmt::format("{} of {} points are done already", outcome_.points_done, points_.size()));
    }
    const InterruptGuard interrupt(launcher_->on_interrupt());
    try {
      run_rounds(progress, interrupt);
    } catch (...) {
      if (manifest) manifest->finish("failed", progress.images_made());
      throw;
    }
    outcome_.images_made = progress.images_made();
    outcome_.near_time_limit = interrupt.is_near_time_limit();
    if (manifest) manifest->finish(ending(), outcome_.images_made);
    if (outcome_.stopped) {
      outcome_.points_left =
          std::ssize(points_) - outcome_.points_done - std::ssize(outcome_.failures);
    }
    return outcome_;
  }

 private:
  [[nodiscard]] fs::path folder_of(const Point& point) const {
    return point_folder(points_folder_, point.hash);
  }
  [[nodiscard]] std::string name(const Point& point) const {
    return fmt::format("{} ({})", point_title(point, names_model_), short_hash(point.hash));
  }
  /// Says in DIR of which points its sweep is, and how they are to be made.
  void record() const {
    if (sweep_.is_share) return;
    record_sweep(sweep_.folder, sweep_.list, sweep_.command_line);
    FrozenPoints all{.root = sweep_.root,
                     .working_folder = fs::current_path().string(),
                     .command_line = sweep_.command_line};
    for (const Point& point : points_) all.points.push_back(frozen(point));
    record_frozen_points(sweep_.folder, std::move(all));
  }

  [[nodiscard]] bool finished(const Point& point) const {
    const fs::path folder = folder_of(point);
    return !PointLease::holder(folder) && look_through(point, folder).is_done;
  }

  /// Images there already, for the progress; a point that another program is writing has none yet.
  [[nodiscard]] int64_t images_known(const Point& point) const {
    const fs::path folder = folder_of(point);
    return PointLease::holder(folder) ? 0 : look_through(point, folder).asked;
  }

  [[nodiscard]] int64_t images_of_all() const {
    int64_t images = 0;
    for (const Point& point : points_) images += point.images();
    return images;
  }

  [[nodiscard]] const char* ending() const {
    if (outcome_.interrupted) return "interrupted";
    if (outcome_.stopped) return "stopped";
    if (outcome_.points_elsewhere > 0) return "handed over";
    return outcome_.failures.empty() ? "done" : "failed";
  }

  /// Puts what there is of every point aside, before any launcher looks.
  void begin_again() {
    for (const Point& point : points_) {
      const fs::path folder = folder_of(point);
      std::error_code unknown;
      if (!fs::exists(folder, unknown)) continue;
      const auto lease = PointLease::try_take(folder);
      if (!lease) {
        say("{}: another kvscope makes it now; it is not made again", name(point));
        continue;
      }
      keep_former(folder);
    }
  }

  /// Whether enough points have failed, or the user wants to stop.
  [[nodiscard]] bool stops(const InterruptGuard& interrupt) {
    const std::optional<int64_t>& most = failing_.max_failures;
    if (most && std::ssize(outcome_.failures) >= *most) outcome_.stopped = true;
    return outcome_.stopped || interrupt.requested();
  }

  /// All of them before the first model: LibTorch looks for GPUs once.
  void open_devices() {
    for (const Point& point : points_) worker_.open_device_of(point);
  }

  /// A damaged checkpoint or a missing device is to leave nothing behind: looks before anything is
  /// written, where points will run.
  void check_first() {
    const auto first =
        std::ranges::find_if(points_, [&](const Point& point) { return !done_.contains(&point); });
    if (first == points_.end()) return;
    launcher_->try_out([&] {
      open_devices();
      worker_.model_of(*first);
    });
  }

  /// What other programs are making is looked at again when all else is done: they may end without
  /// finishing it.
  void run_rounds(Progress& progress, const InterruptGuard& interrupt) {
    std::vector<int64_t> open(open_points_.size());
    std::iota(open.begin(), open.end(), int64_t{0});
    while (!open.empty() && !outcome_.interrupted && !outcome_.stopped) {
      std::vector<int64_t> others;
      if (launcher_->is_parallel()) {
        // Full caches first and all of them: the others are measured against their images.
        const auto rest = std::ranges::stable_partition(
            open, [&](int64_t i) { return open_points_[i]->full_cache; });
        others.assign(rest.begin(), rest.end());
        open.erase(rest.begin(), rest.end());
      }
      std::vector<int64_t> busy;
      again_.clear();
      launch(open, progress, interrupt, busy);
      if (!stops(interrupt)) launch(others, progress, interrupt, busy);
      if (!again_.empty()) {  // those that others make are looked at after them
        open = again_;
        open.insert(open.end(), busy.begin(), busy.end());
        continue;
      }
      if (stops(interrupt)) break;
      open = free_again(std::move(busy), progress, interrupt);
    }
  }

  /// Runs the open points with these numbers; `busy` gets those that others make.
  void launch(const std::vector<int64_t>& numbers,
              Progress& progress,
              const InterruptGuard& interrupt,
              std::vector<int64_t>& busy) {
    std::vector<const Point*> points;
    for (const int64_t i : numbers) points.push_back(open_points_[i]);
    int64_t ended = 0;
    launcher_->launch(
        points,
        [this](const Point& point, const auto& images_made, const auto& stop_asked) {
          open_devices();
          return worker_.run(point, images_made, stop_asked);
        },
        {.begun =
             [&](int64_t at) {
               const int64_t i = numbers[at];
               const Point& point = *open_points_[i];
               progress.begin_point(i, name(point), point.images(), images_known(point),
                                    planned_kv_bytes(point));
             },
         .images_made = [&](int64_t at,
                            int64_t images) { progress.add_images(numbers[at], images); },
         .ended =
             [&](int64_t at, const PointOutcome& outcome) {
               ++ended;
               finish(numbers[at], outcome, progress, busy);
             },
         .note = [&](const std::string& text) { progress.note(text); }},
        [&] { return stops(interrupt); });
    // Some never began: the user has interrupted, or enough have failed.
    if (ended < std::ssize(points) && !outcome_.stopped) outcome_.interrupted = true;
  }

  void finish(int64_t i,
              const PointOutcome& outcome,
              Progress& progress,
              std::vector<int64_t>& busy) {
    for (const std::string& note : outcome.notes) {
      progress.note(fmt::format("{}: {}", name(*open_points_[i]), note));
    }
    switch (outcome.state) {
      case State::kInterrupted:
        outcome_.interrupted = !outcome_.stopped;
        progress.put_back(i);
        return;
      case State::kBusy:
        progress.put_back(i);
        busy.push_back(i);
        return;
      case State::kElsewhere:
        ++outcome_.points_elsewhere;
        progress.leave_out(open_points_[i]->images());
        return;
      case State::kDone:
        ++outcome_.points_done;
        progress.end_point(i, "done");
        return;
      case State::kFailed:
        fail(i, outcome, progress);
    }
  }

  void fail(int64_t i, const PointOutcome& outcome, Progress& progress) {
    const Point& point = *open_points_[i];
    keep_death(point, outcome);
    const int64_t attempts = ++attempts_[i];
    const std::string why = fmt::format("failed ({}): {}", outcome.failure_class, outcome.message);
    if (attempts <= failing_.retries) {
      progress.end_point(i,
                         fmt::format("{}; tried again, {} of {}", why, attempts, failing_.retries));
      again_.push_back(i);
      return;
    }
    outcome_.failures.push_back({.name = point_title(point, names_model_),
                                 .hash = short_hash(point.hash),
                                 .failure_class = outcome.failure_class,
                                 .message = outcome.message,
                                 .attempts = attempts});
    progress.end_point(i, why);
  }

  /// A process that died, or a command or task that never came so far, could not keep in its
  /// point's folder how it ended.
  void keep_death(const Point& point, const PointOutcome& outcome) const {
    if (outcome.failure_class != "process" && outcome.failure_class != "job") return;
    try {
      const fs::path folder = folder_of(point);
      if (const auto lease = PointLease::try_take(folder)) write_failure(folder, outcome);
    } catch (const Error&) {
      // Where nothing can be written, what is said now has to do.
    }
  }

  /// Waits until other programs have finished some of their points, or left them. Returns those
  /// that were left.
  std::vector<int64_t> free_again(std::vector<int64_t> busy,
                                  Progress& progress,
                                  const InterruptGuard& interrupt) {
    constexpr std::chrono::milliseconds kLook{200};
    std::vector<int64_t> left;
    if (!busy.empty()) {
      const auto holder = PointLease::holder(folder_of(*open_points_[busy.front()]));
      progress.note(fmt::format("waiting for {} point{} that {} makes; Ctrl-C leaves {} there",
                                busy.size(), busy.size() == 1 ? "" : "s",
                                holder ? holder->text() : "another kvscope",
                                busy.size() == 1 ? "it" : "them"));
    }
    while (!busy.empty() && left.empty() && !outcome_.interrupted) {
      std::erase_if(busy, [&](int64_t i) {
        const Point& point = *open_points_[i];
        if (PointLease::holder(folder_of(point))) return false;
        if (!finished(point)) {
          left.push_back(i);
        } else {
          ++outcome_.points_done;
          progress.leave_out(point.images());
          progress.note(name(point) + ": done by another kvscope");
        }
        return true;
      });
      if (interrupt.requested()) outcome_.interrupted = true;
      if (left.empty() && !busy.empty()) std::this_thread::sleep_for(kLook);
    }
    left.insert(left.end(), busy.begin(), busy.end());  // these are asked again beside them
    return left;
  }

  static int64_t cores() {
    return std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
  }

  /// Metrics of pairs compare with the full cache; say so where there is none to compare with.
  void warn_about_references() const {
    const auto will_be_there = [&](const std::string& hash) {
      return point_finished(point_folder(points_folder_, hash)) ||
             std::ranges::any_of(points_, [&](const Point& point) { return point.hash == hash; });
    };
    for (const Point& point : points_) {
      std::vector<Metric> pairs;
      for (const std::string& name : point.metrics) {
        if (metric_named(name).scope == MetricScope::kPair) pairs.push_back(metric_named(name));
      }
      if (pairs.empty() || will_be_there(point.reference_hash)) continue;
      say("warning: no full-cache point of the same model, prompts and seed in {}: {} {} "
          "empty; add full to the policies of this sweep (policy=full,...)",
          sweep_.folder.string(), labels_in_words(pairs), pairs.size() == 1 ? "stays" : "stay");
      return;
    }
  }

  const Sweep& sweep_;
  const std::vector<Point>& points_;
  bool names_model_;
  fs::path points_folder_;
  FailureSettings failing_;
  PointWorker worker_;
  std::unique_ptr<Launcher> launcher_;
  std::set<const Point*> done_;  // before this run
  std::vector<const Point*> open_points_;
  std::map<int64_t, int64_t> attempts_;  // that failed, by place among open_points_
  std::vector<int64_t> again_;           // of this round, to be tried once more
  SweepOutcome outcome_;
};

}  // namespace

SweepOutcome run_sweep(const Sweep& sweep) {
  return SweepRunner(sweep).run();
}

}  // namespace kvscope
