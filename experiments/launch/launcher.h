#pragma once

#include <cstdint>
#include <filesystem>
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

/// What it tells whoever waits, one at a time and in that one's thread. `point` counts from 0. A
/// point that is begun again is told of again.
struct LaunchEvents {
  std::function<void(int64_t point)> begun;
  std::function<void(int64_t point, int64_t images)> images_made;
  std::function<void(int64_t point, const PointOutcome& outcome)> ended;
  std::function<void(const std::string& text)> note = [](const std::string&) {};
};

/// What a launcher knows of the sweep beside its points.
struct LaunchPlace {
  LaunchSettings settings{};           ///< those of its first point
  int64_t workers = 1;                 ///< points at work at once, at most
  std::filesystem::path folder{};      ///< DIR
  std::string root{};                  ///< where relative paths of model groups start
  std::string command_line{};          ///< that goes on with the sweep
  std::vector<std::string> plugins{};  ///< that points may need, absolute paths
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

  /// What a scheduler says of such jobs, before any is submitted; empty where there is none. Throws
  /// Error(kEnvironment) with its words where it would refuse them.
  [[nodiscard]] virtual std::string verdict() const { return ""; }
  /// Whether points may be at work at once, so that those that others are compared with had better
  /// be made before.
  [[nodiscard]] virtual bool is_parallel() const { return false; }
  /// A literal that says what a first Ctrl-C does.
  [[nodiscard]] virtual const char* on_interrupt() const {
    return "stopping as soon as the batch at work is done and kept; Ctrl-C again stops at once, "
           "and only that batch is made again";
  }
};

/// The names of launchers.def, with what they do.
std::vector<std::pair<std::string, std::string>> launcher_names();
/// Throws Error(kConfig) for an unknown name, or settings that the launcher cannot do with.
std::unique_ptr<Launcher> make_launcher(const std::string& name, LaunchPlace place);
/// The name of the launcher that the settings choose for points of which so many may be at work.
std::string launcher_name(const LaunchSettings& settings, int64_t workers);
/// That launcher.
std::unique_ptr<Launcher> chosen_launcher(LaunchPlace place);

}  // namespace kvscope
