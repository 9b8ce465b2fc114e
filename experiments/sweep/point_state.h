#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/point_outcome.h"

namespace kvscope {

/// What a point's folder says of the point, to whoever looks at it.
enum class PointState : uint8_t {
  kMissing,  ///< nothing of it is there
  kPart,     ///< some images, and nobody makes the others
  kRunning,  ///< somebody holds its lease
  kFailed,   ///< nobody makes it, and whoever did last left FAILED
  kDone      ///< result.h5 is there, and nothing says that more was begun
};

/// "missing", "part", "running", "failed", "done": as tables and JSON name them.
std::string_view state_name(PointState state);

/// How a point failed, as the file FAILED in its folder keeps it.
struct PointFailure {
  std::string failure_class{};  ///< see PointOutcome::failure_class
  std::string message{};
  int64_t attempts = 1;     ///< in a row, this one too
  std::string failed_at{};  ///< UTC, "2026-11-28T18:30:00Z"
};

/// Everything that a folder says without a result file being read, so that looking costs no more
/// than a few file names, and disturbs nobody who writes there.
struct StoredPoint {
  PointState state = PointState::kMissing;
  int64_t images_there = 0;  ///< PNG files; more than asked for where it once asked for more
  std::optional<int64_t> images_asked{};  ///< as manifest.json says; none before work started
  std::optional<LeaseHolder> holder{};    ///< while it runs
  std::optional<PointFailure> failure{};  ///< of the last attempt, also while another one runs
};

/// Looks at DIR/points/HASH. Throws for nothing that it finds.
StoredPoint stored_point(const std::filesystem::path& point_folder);

/// The file FAILED of a point's folder: nullopt where there is none or it is damaged.
std::optional<PointFailure> read_failure(const std::filesystem::path& point_folder);
/// Writes it; only for who holds the point's lease. Counts the attempts. Throws Error(kEnvironment)
/// where it cannot be written.
void write_failure(const std::filesystem::path& point_folder, const PointOutcome& outcome);
/// Takes it away, where it is.
void clear_failure(const std::filesystem::path& point_folder);

/// "2026-11-28T18:30:00Z" now.
std::string utc_now();

}  // namespace kvscope
