#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/sweep/point_state.h"

namespace kvscope {

/// A point of a results folder as it stands now.
struct PointStatus {
  std::string hash{};   ///< at least its first 12 digits
  std::string title{};  ///< "snapkv, 10 %", with the model where the folder has several
  int64_t images = 0;   ///< asked for; 0 where nobody has written down how many
  StoredPoint stored{};
  double seconds_per_image = 0;  ///< since its holder began; 0 where nobody can say
};

/// All of a folder.
struct SweepStatus {
  std::vector<PointStatus> points{};
  std::string command_line{};  ///< that goes on with it

  [[nodiscard]] int64_t count(PointState state) const;
  [[nodiscard]] int64_t images_there() const;
  [[nodiscard]] int64_t images_asked() const;
  /// At the pace of those at work now; 0 where nobody is.
  [[nodiscard]] double seconds_left() const;
  [[nodiscard]] bool has_ended() const;
};

/// Looks at a results folder from outside: at the points that a run in it has frozen, and at those
/// that lie there besides. Changes nothing. Throws Error(kInput) where it is none.
SweepStatus sweep_status(const std::filesystem::path& folder);

}  // namespace kvscope
