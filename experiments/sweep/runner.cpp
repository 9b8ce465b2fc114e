#include "experiments/sweep/runner.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "experiments/sweep/folder_lock.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/job_pool.h"
#include "experiments/sweep/point_worker.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string point_name(const Point& point) {
  return fmt::format("{}, {} ({})", point.label("policy"), point.label("budget"),
                     point.hash.substr(0, 12));
}

class SweepRunner {
 public:
  explicit SweepRunner(const Sweep& sweep)
      : sweep_(sweep),
        points_(sweep.list.points),
        points_folder_(sweep.folder / "points"),
        worker_(sweep.root, points_folder_, sweep.command_line) {}

  SweepOutcome run() {
    const int64_t workers = workers_of(points_.front().config.at("workers"));
    check_first(workers);
    const FolderLock lock(sweep_.folder);
    int64_t images = 0;
    for (const Point& point : points_) {
      const int64_t there = images_there(point, points_folder_);
      if (point_finished(point_folder(points_folder_, point.hash))) {
        ++outcome_.points_done;
        continue;
      }
      images += point.images() - there;
      open_points_.push_back(&point);
    }
    if (open_points_.empty()) return outcome_;
    worker_.write_manifest(sweep_.folder, points_.front());
    warn_about_references();

    Progress progress(std::ssize(open_points_), images, sweep_.terminal);
    if (outcome_.points_done > 0) {
      progress.note(
          fmt::format("{} of {} points are done already", outcome_.points_done, points_.size()));
    }
    const InterruptGuard interrupt;
    if (workers > 1) {
      // Full caches first and all of them: the others are measured against their pictures.
      const auto others = std::ranges::stable_partition(
          open_points_, [](const Point* point) { return point->full_cache; });
      const auto full = others.begin() - open_points_.begin();
      run_in_processes(0, full, workers, progress, interrupt);
      if (!outcome_.interrupted) {
        run_in_processes(full, std::ssize(open_points_), workers, progress, interrupt);
      }
    } else {
      run_here(progress, interrupt);
    }
    outcome_.images_made = progress.images_made();
    return outcome_;
  }

 private:
  /// A damaged checkpoint or a missing device is to leave nothing behind: looks before anything is
  /// written. Workers need a parent that has opened neither.
  void check_first(int64_t workers) {
    const auto first = std::ranges::find_if(points_, [&](const Point& point) {
      return !point_finished(point_folder(points_folder_, point.hash));
    });
    const auto look = [&](PointWorker& worker) {
      for (const Point& point : points_) worker.open_device_of(point);
      if (first != points_.end()) worker.model_of(*first);
    };
    if (workers == 1) return look(worker_);
    run_jobs(
        1, 1,
        [&](int64_t, const JobContext&) {
          at::set_num_threads(threads_of_worker(workers));
          look(worker_);
          return std::string();
        },
        {.begun = [](int64_t) {},
         .told = [](int64_t, int64_t) {},
         .ended = [](int64_t, const std::string&) {},
         .died = [](int64_t, const std::string&) {}},
        [] { return false; });
  }

  void run_here(Progress& progress, const InterruptGuard& interrupt) {
    for (int64_t i = 0; i < std::ssize(open_points_) && !outcome_.interrupted; ++i) {
      begin(i, progress);
      const PointWorker::End end = worker_.run(
          *open_points_[i], [&](int64_t images) { progress.add_images(i, images); },
          [&] { return interrupt.requested(); });
      finish(i, end, progress);
    }
  }

  /// The open points first .. end - 1.
  void run_in_processes(int64_t first,
                        int64_t end,
                        int64_t workers,
                        Progress& progress,
                        const InterruptGuard& interrupt) {
    const std::string interrupted = "interrupted";
    const std::string failed = "failed: ";
    int64_t ended = 0;
    run_jobs(
        end - first, workers,
        [&](int64_t job, const JobContext& context) {
          at::set_num_threads(threads_of_worker(workers));
          const PointWorker::End how =
              worker_.run(*open_points_[first + job], context.tell, context.stop_asked);
          if (how.interrupted) return interrupted;
          return how.failure.empty() ? how.failure : failed + how.failure;
        },
        {.begun = [&](int64_t job) { begin(first + job, progress); },
         .told = [&](int64_t job, int64_t images) { progress.add_images(first + job, images); },
         .ended =
             [&](int64_t job, const std::string& result) {
               ++ended;
               const bool has_failed = result.starts_with(failed);
               finish(first + job,
                      {.interrupted = result == interrupted,
                       .failure = has_failed ? result.substr(failed.size()) : ""},
                      progress);
             },
         .died =
             [&](int64_t job, const std::string& how) {
               ++ended;
               finish(first + job, {.failure = how + "; the same command goes on with it"},
                      progress);
             }},
        [&] { return interrupt.requested(); });
    if (ended < end - first) outcome_.interrupted = true;  // some never began
  }

  static int64_t cores() {
    return std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
  }
  static int64_t workers_of(const ConfigNode& workers) {
    return workers.is_null() ? cores() : workers.as_int64();
  }
  static int threads_of_worker(int64_t workers) {
    return static_cast<int>(std::max<int64_t>(1, cores() / workers));
  }

  void begin(int64_t i, Progress& progress) {
    const Point& point = *open_points_[i];
    progress.begin_point(i, point_name(point), point.images(), images_there(point, points_folder_));
  }

  void finish(int64_t i, const PointWorker::End& end, Progress& progress) {
    if (end.interrupted) {
      outcome_.interrupted = true;
    } else if (end.failure.empty()) {
      ++outcome_.points_done;
      progress.end_point(i, "done");
    } else {
      outcome_.failures.push_back(point_name(*open_points_[i]) + ": " + end.failure);
      progress.end_point(i, "failed: " + end.failure);
    }
  }

  /// PSNR and SSIM compare with the full cache; say so where there is none to compare with.
  void warn_about_references() const {
    const auto will_be_there = [&](const std::string& hash) {
      return point_finished(point_folder(points_folder_, hash)) ||
             std::ranges::any_of(points_, [&](const Point& point) { return point.hash == hash; });
    };
    for (const Point& point : points_) {
      const auto metrics = point.config.at("metrics.list").as_string_list();
      const bool compares = std::ranges::any_of(
          metrics, [](const std::string& name) { return name == "psnr" || name == "ssim"; });
      if (!compares || will_be_there(point.reference_hash)) continue;
      fmt::print(stderr,
                 "warning: no full-cache point of the same model, prompts and seed in {}: PSNR and "
                 "SSIM stay empty; add full to the policies of this sweep (policy=full,...)\n",
                 sweep_.folder.string());
      return;
    }
  }

  const Sweep& sweep_;
  const std::vector<Point>& points_;
  fs::path points_folder_;
  PointWorker worker_;
  std::vector<const Point*> open_points_;
  SweepOutcome outcome_;
};

}  // namespace

SweepOutcome run_sweep(const Sweep& sweep) {
  return SweepRunner(sweep).run();
}

}  // namespace kvscope
