#include "experiments/training/training_loop.h"

#include <chrono>

#include "core/base/clock.h"

namespace kvscope {

bool run_training(const TrainingSchedule& schedule,
                  int64_t first_step,
                  const std::function<TrainingStep(int64_t)>& step,
                  const std::function<void(int64_t)>& save,
                  const TrainingReport& report) {
  double loss_sum = 0;
  int64_t steps_since = 0;
  auto since = std::chrono::steady_clock::now();
  for (int64_t index = first_step; index < schedule.steps; ++index) {
    const TrainingStep done = step(index);
    loss_sum += done.loss;
    ++steps_since;
    const int64_t next = index + 1;
    const bool stop = schedule.stop_asked && schedule.stop_asked();
    const bool last = stop || next == schedule.steps;
    if (last || next % kReportEverySteps == 0) {
      const double seconds = milliseconds_since(since) / 1000;
      report({next, loss_sum / static_cast<double>(steps_since),
              static_cast<double>(steps_since * schedule.batch) / seconds, done.gradient_norm});
      loss_sum = 0;
      steps_since = 0;
      since = std::chrono::steady_clock::now();
    }
    if (!schedule.state_path.empty() && (last || next % schedule.save_every_steps == 0)) save(next);
    if (stop) return false;
  }
  return true;
}

}  // namespace kvscope
