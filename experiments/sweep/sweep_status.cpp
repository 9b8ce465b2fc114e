#include "experiments/sweep/sweep_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/base/error.h"
#include "experiments/sweep/frozen_points.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// From the times of its images and of the file that its holder began with.
double seconds_per_image(const fs::path& point_folder) {
  std::error_code error;
  const fs::file_time_type begun = fs::last_write_time(point_folder / "config.yaml", error);
  if (error) return 0;
  int64_t made = 0;
  fs::file_time_type last = begun;
  for (const auto& entry : fs::directory_iterator(point_folder / "images", error)) {
    const fs::file_time_type written = entry.last_write_time(error);
    if (error || entry.path().extension() != ".png" || written < begun) continue;
    ++made;
    last = std::max(last, written);
  }
  if (made == 0) return 0;
  return std::chrono::duration<double>(last - begun).count() / static_cast<double>(made);
}

std::string title_of(const FrozenPoints::One& one, bool names_model) {
  return fmt::format("{}{}, {}", names_model ? one.label("model") + ", " : "", one.label("policy"),
                     one.label("budget"));
}

PointStatus status_of(const fs::path& folder, std::string hash, std::string title, int64_t images) {
  PointStatus status{.hash = std::move(hash),
                     .title = std::move(title),
                     .images = images,
                     .stored = stored_point(folder)};
  if (status.images == 0) status.images = status.stored.images_asked.value_or(0);
  // More was asked for since it was finished.
  StoredPoint& stored = status.stored;
  if (stored.state == PointState::kDone && stored.images_there < status.images) {
    stored.state = PointState::kPart;
  }
  if (stored.state == PointState::kRunning) status.seconds_per_image = seconds_per_image(folder);
  return status;
}

}  // namespace

int64_t SweepStatus::count(PointState state) const {
  return std::ranges::count_if(
      points, [&](const PointStatus& point) { return point.stored.state == state; });
}

int64_t SweepStatus::images_there() const {
  int64_t images = 0;
  for (const PointStatus& point : points) {
    images += std::min(point.stored.images_there, std::max(point.images, int64_t{0}));
  }
  return images;
}

int64_t SweepStatus::images_asked() const {
  int64_t images = 0;
  for (const PointStatus& point : points) images += point.images;
  return images;
}

double SweepStatus::seconds_left() const {
  double images_per_second = 0;
  for (const PointStatus& point : points) {
    if (point.seconds_per_image > 0) images_per_second += 1 / point.seconds_per_image;
  }
  if (images_per_second == 0) return 0;
  return static_cast<double>(images_asked() - images_there()) / images_per_second;
}

bool SweepStatus::has_ended() const {
  return count(PointState::kDone) + count(PointState::kFailed) == std::ssize(points);
}

SweepStatus sweep_status(const fs::path& folder) {
  std::error_code unknown;
  const fs::path points_folder = folder / "points";
  const fs::path frozen_file = frozen_points_file(folder);
  const bool is_frozen = fs::exists(frozen_file, unknown);
  if (!is_frozen && !fs::is_directory(points_folder, unknown)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: is no results folder: it has neither {} nor points/",
                            folder.string(), frozen_file.filename().string()));
  }
  SweepStatus status;
  std::set<std::string> known;
  if (is_frozen) {
    const FrozenPoints frozen = read_frozen_points(frozen_file);
    status.command_line = frozen.command_line;
    const bool names_model = std::ranges::any_of(frozen.points, [&](const auto& one) {
      return one.label("model") != frozen.points.front().label("model");
    });
    for (const FrozenPoints::One& one : frozen.points) {
      const fs::path place = point_folder(points_folder, one.hash);
      known.insert(place.filename().string());
      status.points.push_back(status_of(place, one.hash, title_of(one, names_model), one.images));
    }
  }
  std::vector<fs::path> others;  // of versions that froze nothing
  for (const auto& entry : fs::directory_iterator(points_folder, unknown)) {
    if (entry.is_directory(unknown) && !known.contains(entry.path().filename().string())) {
      others.push_back(entry.path());
    }
  }
  std::ranges::sort(others);
  for (const fs::path& place : others) {
    status.points.push_back(status_of(place, place.filename().string(), "", 0));
  }
  return status;
}

}  // namespace kvscope
