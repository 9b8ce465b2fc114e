#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/console.h"
#include "experiments/launch/device_slot.h"
#include "experiments/launch/job_pool.h"
#include "experiments/launch/launcher.h"

namespace kvscope {
namespace {

/// Children are forked: this process must have opened neither a device nor a model.
class ProcessesLauncher : public Launcher {
 public:
  explicit ProcessesLauncher(const LaunchPlace& place)
      : slots_(device_slots(place.settings.device, place.settings.options.slots)),
        workers_(place.workers) {
    // One worker is what a configuration says that says nothing.
    const auto slots = std::ssize(slots_.names);
    if (slots > 0 && (workers_ == 1 || workers_ > slots)) workers_ = slots;
  }

  [[nodiscard]] bool is_parallel() const override { return workers_ > 1; }

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
        [] { return false; }, [this](const auto& over) { take_slot(over); });
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
                                  .message = how + ", twice; the same command goes on with it",
                                  .failure_class = "process"});
             },
         .begun_again =
             [&](int64_t, const std::string& how) {
               events.note(how + "; another one goes on with its point");
             }},
        stop_asked, [this](const auto& over) { take_slot(over); });
  }

 private:
  /// In a child, which keeps the slot as long as it lives: what it opens on a device stays.
  void take_slot(const std::function<bool()>& over) {
    if (slots_.names.empty()) return;
    constexpr std::chrono::milliseconds kLook{200};
    bool told = false;
    while (!over()) {
      if (auto slot = DeviceSlot::try_take(slots_.names)) {
        slot_.emplace(std::move(*slot));
        break;
      }
      if (!std::exchange(told, true)) {
        say("waiting for a slot: {}", DeviceSlot::holders(slots_.names));
      }
      std::this_thread::sleep_for(kLook);
    }
    if (slot_ && slots_.shown_alone) setenv("CUDA_VISIBLE_DEVICES", slot_->name().c_str(), 1);
  }

  void share_threads() const {
    const auto cores =
        std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
    at::set_num_threads(static_cast<int>(std::max<int64_t>(1, cores / workers_)));
  }

  DeviceSlots slots_;
  int64_t workers_;
  std::optional<DeviceSlot> slot_;  // of a child
};

}  // namespace

std::unique_ptr<Launcher> make_processes_launcher(LaunchPlace place) {
  return std::make_unique<ProcessesLauncher>(place);
}

}  // namespace kvscope
