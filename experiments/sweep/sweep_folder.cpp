#include "experiments/sweep/sweep_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/set_aside.h"
#include "core/base/text_file.h"
#include "core/config/hash.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// What a sweep is made of, by hashes of settings that no file is part of.
struct SweepContent {
  std::set<std::string> points{};
  std::set<std::string> settings{};  ///< of points, policy and budget left out
  std::string command_line{};        ///< of the run that made the folder
};

SweepContent content_of(const std::vector<Point>& points) {
  SweepContent content;
  for (const Point& point : points) {
    std::vector<std::string> outside = keys_outside_hash(point.config);
    content.points.insert(point_hash(point.config, outside));
    for (const char* key : {"policy", "budget"}) outside.emplace_back(key);
    content.settings.insert(point_hash(point.config, outside));
  }
  return content;
}

/// What sweep.json says; none where there is no such file, or a damaged one.
std::optional<SweepContent> read_content(const fs::path& folder) {
  const std::string text = text_of_file(folder / "sweep.json").value_or("");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return SweepContent{.points = json.at("points"),
                        .settings = json.at("settings"),
                        .command_line = json.at("command_line")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool are_one_sweep(const SweepContent& now, const SweepContent& there, bool multirun) {
  if (std::ranges::includes(there.points, now.points) ||
      std::ranges::includes(now.points, there.points)) {
    return true;
  }
  return !multirun && std::ranges::includes(there.settings, now.settings);
}

}  // namespace

SweepFolder sweep_folder(const PointList& list, bool multirun) {
  const fs::path first = list.results_folder;
  if (list.folder_is_chosen) return {.path = first};
  std::optional<SweepContent> now;  // digests of every point, where somebody asks for them
  std::string owner;
  for (int64_t number = 1;; ++number) {
    fs::path folder = first;
    if (number > 1) folder += fmt::format("-{}", number);
    std::error_code unknown;
    const std::optional<SweepContent> there = read_content(folder);
    // A folder without points is anybody's, and so is one of a version that did not write whose it
    // is.
    const bool is_free = !there || !fs::exists(folder / "points", unknown);
    if (!is_free && !now) now = content_of(list.points);
    if (!is_free && !are_one_sweep(*now, *there, multirun)) {
      if (number == 1) owner = there->command_line;
      continue;
    }
    if (number == 1) return {.path = folder};
    return {.path = folder,
            .note = fmt::format("{} belongs to another sweep ({}); the results of this one go to "
                                "{}. name=NAME gives it a name, name={} adds it to that one",
                                first.string(), owner, folder.string(), first.filename().string())};
  }
}

void record_sweep(const fs::path& folder, const PointList& list, const std::string& command_line) {
  SweepContent content = content_of(list.points);
  const std::optional<SweepContent> there = read_content(folder);
  if (there) {
    content.points.insert(there->points.begin(), there->points.end());
    content.settings.insert(there->settings.begin(), there->settings.end());
    if (content.points == there->points) return;
  }
  const nlohmann::ordered_json json{{"command_line", there ? there->command_line : command_line},
                                    {"points", content.points},
                                    {"settings", content.settings}};
  const fs::path file = folder / "sweep.json";
  std::error_code unknown;
  if (fs::is_directory(file, unknown)) set_aside(file);
  write_file_atomically(
      file, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace kvscope
