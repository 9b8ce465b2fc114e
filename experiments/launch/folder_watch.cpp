#include "experiments/launch/folder_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/sweep/kept_point.h"
#include "experiments/sweep/point_state.h"
#include "experiments/sweep/run_point.h"

namespace kvscope {
namespace {

/// Tells one failure of a point from the next one.
std::string failure_text(const std::optional<PointFailure>& failure) {
  return failure ? fmt::format("{} {}", failure->attempts, failure->failed_at) : "";
}

}  // namespace

FolderWatch::FolderWatch(std::span<const Point* const> points,
                         std::filesystem::path points_folder,
                         const LaunchEvents& events)
    : points_(points),
      points_folder_(std::move(points_folder)),
      events_(events),
      seen_(points.size()),
      open_(std::ssize(points)) {
  for (int64_t i = 0; i < std::ssize(points_); ++i) {
    const StoredPoint stored = stored_point(folder_of(i));
    seen_[i].images = stored.images_there;
    seen_[i].former_failure = failure_text(stored.failure);
  }
}

std::filesystem::path FolderWatch::folder_of(int64_t point) const {
  return point_folder(points_folder_, points_[point]->hash);
}

void FolderWatch::begin(int64_t point) {
  if (!std::exchange(seen_[point].told, true)) events_.begun(point);
}

void FolderWatch::end(int64_t point, const PointOutcome& outcome) {
  begin(point);
  seen_[point].open = false;
  seen_[point].at_work = false;
  --open_;
  events_.ended(point, outcome);
}

void FolderWatch::look() {
  for (int64_t i = 0; i < std::ssize(points_); ++i) {
    Seen& seen = seen_[i];
    if (!seen.open) continue;
    const StoredPoint stored = stored_point(folder_of(i));
    seen.at_work = stored.state == PointState::kRunning;
    if (seen.at_work) begin(i);
    if (stored.images_there > seen.images) {
      begin(i);
      events_.images_made(i, stored.images_there - seen.images);
      seen.images = stored.images_there;
    }
    if (stored.state == PointState::kDone && look_through(*points_[i], folder_of(i)).is_done) {
      end(i, {});
    }
    if (stored.state == PointState::kFailed &&
        failure_text(stored.failure) != seen.former_failure) {
      end(i, {.state = PointOutcome::State::kFailed,
              .message = stored.failure->message,
              .failure_class = stored.failure->failure_class});
    }
  }
}

void FolderWatch::give_up(int64_t point, const std::string& how) {
  end(point, {.state = PointOutcome::State::kFailed, .message = how, .failure_class = "job"});
}

void FolderWatch::leave(int64_t point, const PointOutcome& outcome) {
  seen_[point].open = false;
  --open_;
  events_.ended(point, outcome);
}

}  // namespace kvscope
