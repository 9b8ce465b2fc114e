#include "experiments/sweep/point_state.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.h"
#include "core/base/text_file.h"
#include "experiments/results/result_file.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kStateNames = {"missing", "part", "running", "failed",
                                                         "done"};
constexpr const char* kFailedFile = "FAILED";

int64_t count_images(const fs::path& point_folder) {
  std::error_code unknown;
  int64_t images = 0;
  for (const auto& entry : fs::directory_iterator(point_folder / "images", unknown)) {
    if (entry.path().extension() == ".png") ++images;
  }
  return images;
}

std::optional<int64_t> asked_images(const fs::path& point_folder) {
  const auto json = nlohmann::json::parse(text_of_file(point_folder / "manifest.json").value_or(""),
                                          nullptr, false);
  if (!json.is_object() || !json.contains("images") || !json["images"].is_number_integer()) {
    return std::nullopt;
  }
  return json["images"].get<int64_t>();
}

PointState state_of(const StoredPoint& stored, const fs::path& point_folder) {
  std::error_code unknown;
  const bool has_part = fs::exists(point_folder / "result.h5.part", unknown);
  if (stored.holder) return PointState::kRunning;
  if (stored.failure) return PointState::kFailed;
  if (point_finished(point_folder) && !has_part) return PointState::kDone;
  return has_part || stored.images_there > 0 ? PointState::kPart : PointState::kMissing;
}

}  // namespace

std::string_view state_name(PointState state) {
  return kStateNames.at(static_cast<size_t>(state));
}

StoredPoint stored_point(const fs::path& point_folder) {
  StoredPoint stored{.images_there = count_images(point_folder),
                     .images_asked = asked_images(point_folder),
                     .holder = PointLease::holder(point_folder),
                     .failure = read_failure(point_folder)};
  stored.state = state_of(stored, point_folder);
  return stored;
}

std::optional<PointFailure> read_failure(const fs::path& point_folder) {
  const auto json =
      nlohmann::json::parse(text_of_file(point_folder / kFailedFile).value_or(""), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return PointFailure{.failure_class = json.at("class"),
                        .message = json.at("message"),
                        .attempts = json.at("attempts"),
                        .failed_at = json.at("failed_at")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void write_failure(const fs::path& point_folder, const PointOutcome& outcome) {
  const std::optional<PointFailure> before = read_failure(point_folder);
  const nlohmann::ordered_json json{{"class", outcome.failure_class},
                                    {"message", outcome.message},
                                    {"attempts", before ? before->attempts + 1 : 1},
                                    {"failed_at", utc_now()}};
  write_file_atomically(
      point_folder / kFailedFile,
      json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void clear_failure(const fs::path& point_folder) {
  std::error_code unknown;
  fs::remove(point_folder / kFailedFile, unknown);
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace kvscope
