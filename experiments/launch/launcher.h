#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "experiments/sweep/point.h"
#include "experiments/sweep/point_outcome.h"

namespace kvscope {

/// What a launcher is to do with one point, wherever it does it: make the images that it lacks.
/// Says how many are kept as they are, and looks whether to end early.
using MakePoint = std::function<PointOutcome(const Point& point,
                                             const std::function<void(int64_t images)>& images_made,
                                             const std::function<bool()>& stop_asked)>;

/// What it tells whoever waits, one at a time and in that one's thread. `point` counts from 0.
struct LaunchEvents {
  std::function<void(int64_t point)> begun;
  std::function<void(int64_t point, int64_t images)> images_made;
  std::function<void(int64_t point, const PointOutcome& outcome)> ended;
};

/// How the points of a sweep are run: one after the other here, in processes of this machine, by a
/// scheduler. A new way is one source and one line in launchers.def.
class Launcher {
 public:
  virtual ~Launcher() = default;

  /// Runs `look` where a point would run, before anything is written: devices and checkpoints are
  /// tried there. Throws what it throws.
  virtual void try_out(const std::function<void()>& look) = 0;

  /// Makes the points and returns when each has ended, or once `stop_asked` when those at work
  /// have. Points that never began are not heard of. An exception of `make` that concerns more than
  /// its point stops the others and is thrown.
  virtual void launch(std::span<const Point* const> points,
                      const MakePoint& make,
                      const LaunchEvents& events,
                      const std::function<bool()>& stop_asked) = 0;
};

/// The names of launchers.def, with what they do.
std::vector<std::pair<std::string, std::string>> launcher_names();
/// `workers`: points at work at once, at most. Throws Error(kConfig) for an unknown name.
std::unique_ptr<Launcher> make_launcher(const std::string& name, int64_t workers);

}  // namespace kvscope
