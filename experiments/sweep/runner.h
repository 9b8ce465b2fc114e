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
  /// Makes all points again; what there is of them is kept in their folders until that is done.
  bool force = false;
};

/// A point that failed, as the table at the end names it.
struct FailedPoint {
  std::string name{};  ///< "snapkv, 10 %"
  std::string hash{};  ///< 12 digits
  std::string failure_class{};
  std::string message{};
  int64_t attempts = 1;  ///< in this run
};

struct SweepOutcome {
  int64_t images_made = 0;
  int64_t points_done = 0;       ///< finished, now or before
  int64_t points_elsewhere = 0;  ///< handed to a scheduler and not waited for
  std::vector<FailedPoint> failures{};
  bool interrupted = false;
  bool near_time_limit = false;  ///< interrupted by SIGUSR1
  bool stopped = false;          ///< by so many failures as max_failures says
  int64_t points_left = 0;       ///< that were not finished because of that
};

/// Runs every point that DIR does not hold already and goes on with half-done ones; models are
/// opened once a model group. A point that fails with a fault of its own is reported, tried again
/// as often as `retries` says, and the next one runs. Nothing is written before all devices were
/// opened. Throws Error(kEnvironment) for a folder that cannot be written or that another run is
/// using, Error(kInput) for bad checkpoints.
SweepOutcome run_sweep(const Sweep& sweep);

}  // namespace kvscope
