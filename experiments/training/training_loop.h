#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kvscope {

/// One line of a training's progress.
struct TrainingProgress {
  int64_t step = 0;
  double loss = 0;  ///< mean since the last line
  double images_per_second = 0;
  double gradient_norm = 0;
};

/// Hears of progress every kReportEverySteps steps and at the end.
using TrainingReport = std::function<void(const TrainingProgress&)>;
inline constexpr int64_t kReportEverySteps = 50;

/// What every training has in common.
struct TrainingSchedule {
  int64_t steps = 0;
  int64_t batch = 0;                   ///< images per step
  int64_t save_every_steps = 500;      ///< and at the end, and when stopped
  std::string state_path{};            ///< resumes from it when it exists; empty saves nothing
  std::function<bool()> stop_asked{};  ///< looked at after every step; empty never stops
};

/// What one step of a training measured.
struct TrainingStep {
  double loss = 0;
  double gradient_norm = 0;
};

/// Calls `step` for first_step .. schedule.steps - 1, reports, and calls `save` with the next step
/// to do. A stop that was asked for ends the step at work, reports, saves and returns false.
bool run_training(const TrainingSchedule& schedule,
                  int64_t first_step,
                  const std::function<TrainingStep(int64_t)>& step,
                  const std::function<void(int64_t)>& save,
                  const TrainingReport& report);

}  // namespace kvscope
