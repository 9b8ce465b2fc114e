#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "experiments/launch/launcher.h"
#include "experiments/sweep/frozen_points.h"

namespace kvscope {

/// Points that were handed to other programs together: DIR/KIND/NNN/points.json, with whatever the
/// launcher of that kind keeps beside it.
struct Submission {
  std::filesystem::path folder{};
  FrozenPoints frozen{};

  [[nodiscard]] std::filesystem::path points_file() const { return folder / "points.json"; }
  /// Numbers of its tasks: from 0 to one less.
  [[nodiscard]] int64_t tasks() const;
  /// Whether a task of it makes exactly this point; `task` gets its number.
  bool has(const Point& point, int64_t& task) const;
};

/// Freezes points in the next free DIR/KIND/NNN, in order and shared evenly among `tasks`. Throws
/// Error(kEnvironment).
Submission new_submission(const LaunchPlace& place,
                          const std::string& kind,
                          std::span<const Point* const> points,
                          int64_t tasks,
                          const std::string& job_name);

/// Those that are there, the oldest first; damaged ones are left out.
std::vector<Submission> submissions(const std::filesystem::path& folder, const std::string& kind);

/// The words that make the points of a task: "kvscope work DIR --points FILE --task", and behind
/// them its number.
std::vector<std::string> work_words(const LaunchPlace& place, const Submission& submission);

/// This program's file.
std::string own_program();

/// The last lines of a text file, indented; empty where there are none.
std::string last_lines(const std::filesystem::path& file, int64_t lines);

}  // namespace kvscope
