#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/sweep/point.h"

namespace kvscope {

/// A sweep to run: checked points and where their results go.
struct Sweep {
  PointList list{};
  std::filesystem::path folder{};      ///< DIR
  std::string root{};                  ///< where relative paths of model groups start
  std::string command_line{};          ///< for the manifest, and for saying how to go on
  bool terminal = false;               ///< progress that changes in place
  std::vector<std::string> plugins{};  ///< libraries that its policies come from
  bool is_share = false;  ///< the points of a task of a sweep that another program has begun
};

struct SweepOutcome {
  int64_t images_made = 0;
  int64_t points_done = 0;       ///< finished, now or before
  int64_t points_elsewhere = 0;  ///< handed to a scheduler and not waited for
  std::vector<std::string> failures{};
  bool interrupted = false;
  bool near_time_limit = false;  ///< interrupted by SIGUSR1
};

/// Runs every point that DIR does not hold already and goes on with half-done ones; models are
/// opened once a model group. A point that fails with a numeric or audit error is reported and the
/// next one runs. Nothing is written before all devices were opened. Throws Error(kEnvironment) for
/// a folder that cannot be written or that another run is using, Error(kInput) for bad checkpoints.
SweepOutcome run_sweep(const Sweep& sweep);

}  // namespace kvscope
