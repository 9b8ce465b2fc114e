#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "experiments/launch/launcher.h"

namespace kvscope {

/// Follows points that programs elsewhere make, by what these leave in the results folder.
class FolderWatch {
 public:
  /// All three outlive this.
  FolderWatch(std::span<const Point* const> points,
              std::filesystem::path points_folder,
              const LaunchEvents& events);

  /// Looks once and tells what has changed.
  void look();
  /// Ends a point that nobody makes any more and that is not finished; `how` says why.
  void give_up(int64_t point, const std::string& how);
  /// Ends a point that is left to others.
  void leave(int64_t point, const PointOutcome& outcome);

  [[nodiscard]] bool is_open(int64_t point) const { return seen_[point].open; }
  /// Whether somebody was making it at the last look.
  [[nodiscard]] bool is_at_work(int64_t point) const { return seen_[point].at_work; }
  [[nodiscard]] int64_t open() const { return open_; }

 private:
  struct Seen {
    bool open = true;
    bool at_work = false;
    bool told = false;             ///< that it was begun
    int64_t images = 0;            ///< counted in its folder
    std::string former_failure{};  ///< when it failed before this watch began
  };

  void begin(int64_t point);
  void end(int64_t point, const PointOutcome& outcome);
  [[nodiscard]] std::filesystem::path folder_of(int64_t point) const;

  std::span<const Point* const> points_;
  std::filesystem::path points_folder_;
  const LaunchEvents& events_;
  std::vector<Seen> seen_;
  int64_t open_;
};

}  // namespace kvscope
