#include <ATen/Parallel.h>

#include <algorithm>
#include <thread>

#include "experiments/launch/job_pool.h"
#include "experiments/launch/launcher.h"

namespace kvscope {
namespace {

/// Children are forked: this process must have opened neither a device nor a model.
class ProcessesLauncher : public Launcher {
 public:
  explicit ProcessesLauncher(int64_t workers) : workers_(workers) {}

  void try_out(const std::function<void()>& look) override {
    run_jobs(
        1, 1,
        [&](int64_t, const JobContext&) {
          share_threads();
          look();
          return std::string();
        },
        {.begun = [](int64_t) {},
         .told = [](int64_t, int64_t) {},
         .ended = [](int64_t, const std::string&) {},
         .died = [](int64_t, const std::string&) {}},
        [] { return false; });
  }

  void launch(std::span<const Point* const> points,
              const MakePoint& make,
              const LaunchEvents& events,
              const std::function<bool()>& stop_asked) override {
    run_jobs(
        std::ssize(points), workers_,
        [&](int64_t job, const JobContext& context) {
          share_threads();
          return to_json(make(*points[static_cast<size_t>(job)], context.tell, context.stop_asked));
        },
        {.begun = events.begun,
         .told = events.images_made,
         .ended = [&](int64_t job,
                      const std::string& json) { events.ended(job, point_outcome(json)); },
         .died =
             [&](int64_t job, const std::string& how) {
               events.ended(job, {.state = PointOutcome::State::kFailed,
                                  .message = how + "; the same command goes on with it",
                                  .failure_class = "process"});
             }},
        stop_asked);
  }

 private:
  void share_threads() const {
    const auto cores =
        std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
    at::set_num_threads(static_cast<int>(std::max<int64_t>(1, cores / workers_)));
  }

  int64_t workers_;
};

}  // namespace

std::unique_ptr<Launcher> make_processes_launcher(int64_t workers) {
  return std::make_unique<ProcessesLauncher>(workers);
}

}  // namespace kvscope
