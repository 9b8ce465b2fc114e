#include "experiments/sweep/known_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "analysis/statistics/sample.h"
#include "core/base/error.h"
#include "core/base/text_file.h"
#include "core/config/format.h"
#include "core/config/hash.h"
#include "core/config/yaml.h"
#include "experiments/results/point_labels.h"
#include "experiments/results/result_file.h"
#include "experiments/sweep/digests.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string text_at(const ConfigNode& config, const char* key) {
  const ConfigNode* node = config.find(key);
  return node == nullptr ? "" : canonical_json(*node);
}

/// Equal where images take as long, but for policy and budget.
std::string model_text(const ConfigNode& config) {
  return text_at(config, "model") + text_at(config, "device");
}

std::vector<std::pair<std::string, std::string>> manifest_digests(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> digests;
  const auto json =
      nlohmann::json::parse(text_of_file(folder / "manifest.json").value_or(""), nullptr, false);
  if (!json.is_object()) return digests;
  if (json.contains(kResultsVersionKey) && json[kResultsVersionKey].is_string()) {
    digests.emplace_back(kResultsVersionKey, json[kResultsVersionKey].get<std::string>());
  }
  for (const char* group : {"sha256", "sha256_others"}) {
    if (!json.contains(group) || !json[group].is_object()) continue;
    for (const auto& [key, digest] : json[group].items()) {
      if (digest.is_string()) digests.emplace_back(key, digest.get<std::string>());
    }
  }
  return digests;
}

double median_or_0(std::span<const double> seconds) {
  return seconds.empty() ? 0 : median_value(seconds);
}

/// What the file of a finished point says, as far as it can be read.
void add_result(KnownPoint& known, const fs::path& folder) {
  try {
    const ResultFile file = read_result(folder / "result.h5");
    std::vector<double> seconds;
    for (const ImageRow& row : file.rows) seconds.push_back(row.total_ms / 1000);
    known.image_s = median_or_0(seconds);
    known.whole_hash = file.point.point_hash;
  } catch (const std::exception&) {
    return;
  }
}

std::string state_words(PointState state, int64_t there, int64_t asked) {
  if (state == PointState::kPart) return fmt::format("part {}/{}", there, asked);
  return std::string(state_name(state));
}

/// How many of the images that a point asks for have a file.
int64_t images_of(const Point& point, const fs::path& folder) {
  std::error_code unknown;
  if (!fs::exists(folder / "images", unknown)) return 0;
  int64_t there = 0;
  for (uint64_t image = 0; image < static_cast<uint64_t>(point.images()); ++image) {
    if (fs::exists(image_path(folder, point.number_of(image)), unknown)) ++there;
  }
  return there;
}

std::string missing_reason(const PointStanding& standing) {
  if (standing.nearest.empty()) return "new: the folder has no other point";
  if (standing.differences.empty()) {
    return fmt::format("new: like {}, but for what its folder does not say", standing.nearest);
  }
  const size_t more = standing.differences.size() - 1;
  return fmt::format("new: {}{} (nearest: {})", standing.differences.front().text(),
                     more == 0 ? "" : fmt::format(" and {} more", more), standing.nearest);
}

void explain(PointStanding& standing, const StoredPoint& stored, int64_t asked) {
  standing.state_text = state_words(standing.state, standing.images_there, asked);
  switch (standing.state) {
    case PointState::kDone:
      standing.reason = "reused: same settings, files and versions";
      return;
    case PointState::kPart:
      standing.reason =
          fmt::format("goes on: {} of {} images are there", standing.images_there, asked);
      return;
    case PointState::kRunning:
      standing.reason = "made now by " + stored.holder->text();
      return;
    case PointState::kFailed:
      standing.reason =
          fmt::format("failed ({}): {}", stored.failure->failure_class, stored.failure->message);
      return;
    case PointState::kMissing:
      standing.reason = missing_reason(standing);
  }
}

}  // namespace

const std::vector<KnownPoint>& KnownPoints::points() const {
  if (points_) return *points_;
  std::vector<KnownPoint>& points = points_.emplace();
  std::error_code unknown;
  for (const auto& entry : fs::directory_iterator(points_folder_, unknown)) {
    const fs::path& folder = entry.path();
    const std::string text = text_of_file(folder / "config.yaml").value_or("");
    if (text.empty()) continue;
    try {
      const ConfigNode config = load_yaml_text(text, (folder / "config.yaml").string());
      KnownPoint known{.hash = folder.filename().string(),
                       .stored = stored_point(folder),
                       .content = point_content(config, manifest_digests(folder)),
                       .model = model_text(config),
                       .title = policy_and_budget(config)};
      if (point_finished(folder)) add_result(known, folder);
      points.push_back(std::move(known));
    } catch (const Error&) {
      continue;  // damaged: nothing to compare with
    }
  }
  std::ranges::sort(points, {}, &KnownPoint::hash);
  return points;
}

void KnownPoints::compare(PointStanding& standing,
                          const std::string& hash,
                          const PointContent& content,
                          const std::string& model) const {
  size_t least = std::numeric_limits<size_t>::max();
  size_t least_timed = least;
  std::vector<double> seconds;
  for (const KnownPoint& known : points()) {
    const bool is_itself = known.hash == hash;
    const std::vector<ContentDifference> found = differences(known.content, content);
    if (!is_itself && found.size() < least) {
      least = found.size();
      standing.nearest = known.hash;
      standing.differences = found;
    }
    if (known.image_s <= 0 || known.model != model || found.size() > least_timed) continue;
    if (found.size() < least_timed) seconds.clear();
    least_timed = found.size();
    seconds.push_back(known.image_s);
  }
  standing.image_s = median_or_0(seconds);
}

PointStanding KnownPoints::standing(const Point& point, bool compare_done) const {
  PointStanding standing;
  const std::string hash = short_hash(point.hash);
  StoredPoint stored;
  if (!hash.empty()) {
    const fs::path folder = points_folder_ / hash;
    stored = stored_point(folder);
    standing.state = stored.state;
    standing.images_there = images_of(point, folder);
    if (standing.state == PointState::kDone && standing.images_there < point.images()) {
      standing.state = PointState::kPart;  // it asks for more than it did
    }
  }
  const bool is_done = standing.state == PointState::kDone;
  if ((!is_done || compare_done) && !points().empty()) {
    compare(standing, hash, point_content(point), model_text(point.config));
  }
  if (hash.empty()) {
    standing.state_text = "unknown";
    standing.reason = "files that it needs are not here";
  } else {
    explain(standing, stored, point.images());
  }
  return standing;
}

PointStanding KnownPoints::standing(const KnownPoint& point) const {
  PointStanding standing{.state = point.stored.state, .images_there = point.stored.images_there};
  compare(standing, point.hash, point.content, point.model);
  explain(standing, point.stored, point.stored.images_asked.value_or(standing.images_there));
  return standing;
}

}  // namespace kvscope
