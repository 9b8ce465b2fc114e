#include "experiments/sweep/kept_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/base/set_aside.h"
#include "core/image/png.h"
#include "experiments/results/summary.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

bool stands(const fs::path& path) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(path, unknown));
}

/// The content of a result file of this point, or what is wrong with it.
std::optional<ResultFile> read_own(const Point& point, const fs::path& file, KeptPoint& kept) {
  if (!stands(file)) return std::nullopt;
  try {
    ResultFile result = read_result(file);
    forget_other_origins(result.rows, result.point.metric_origins, point.metric_origins);
    if (result.point.point_hash == point.hash) return result;
    kept.damage.push_back({file, fmt::format("it is of point {}", result.point.point_hash)});
  } catch (const std::exception& error) {
    kept.damage.push_back({file, error.what()});
  }
  return std::nullopt;
}

/// Whether `file` says of the point all that it says itself, but for how it is run.
bool says_the_same(const ResultFile& file, const Point& point) {
  return file.has_all() && file.point.images == point.images() &&
         file.point.replicas == point.generation.replicas &&
         asked_metrics(file.point).value_or(std::vector<std::string>()) == point.metrics &&
         file.point.metric_origins == point.metric_origins;
}

void note_damage(const Damage& damage, const fs::path& kept_as, std::vector<std::string>& notes) {
  notes.push_back(fmt::format("{}: set aside as {}: {}", damage.path.string(),
                              kept_as.filename().string(), damage.why));
}

}  // namespace

KeptPoint look_through(const Point& point, const fs::path& folder) {
  KeptPoint kept;
  std::map<uint64_t, ImageRow> rows;
  const std::optional<ResultFile> finished = read_own(point, folder / "result.h5", kept);
  const std::optional<ResultFile> part = read_own(point, folder / "result.h5.part", kept);
  for (const std::optional<ResultFile>* file : {&finished, &part}) {
    if (!file->has_value()) continue;
    for (const ImageRow& row : (*file)->rows) rows.try_emplace(row.image_index, row);
  }
  for (uint64_t image = 0; image < static_cast<uint64_t>(point.images()); ++image) {
    const auto found = rows.find(point.number_of(image));
    if (found == rows.end()) continue;
    const fs::path png_path = image_path(folder, found->first);
    const ImageRow& row = found->second;
    if (is_whole_png(png_path) && row.prompt == point.prompt_of(image).text &&
        row.seed == point.seed_of(image)) {
      ++kept.asked;
      continue;
    }
    if (stands(png_path)) kept.damage.push_back({png_path, "it is no whole PNG of its row"});
    rows.erase(found);
  }
  for (auto& [number, row] : rows) kept.rows.push_back(std::move(row));
  kept.is_done = finished && kept.asked == point.images() && says_the_same(*finished, point);
  return kept;
}

KeptPoint repaired(const Point& point, const fs::path& folder, std::vector<std::string>& notes) {
  KeptPoint kept = look_through(point, folder);
  for (const Damage& damage : kept.damage) note_damage(damage, set_aside(damage.path), notes);
  return kept;
}

void clear_the_way(const fs::path& folder, std::vector<std::string>& notes) {
  std::error_code unknown;
  const auto move = [&](const fs::path& path, const char* expected) {
    note_damage({path, fmt::format("expected a {}", expected)}, set_aside(path), notes);
  };
  for (const fs::path& path : {folder, folder / "images"}) {
    if (stands(path) && !fs::is_directory(path, unknown)) move(path, "folder");
  }
  for (const char* name : {".lease", "config.yaml", "manifest.json", "FAILED"}) {
    const fs::path path = folder / name;
    if (stands(path) && !fs::is_regular_file(path, unknown)) move(path, "file");
  }
  std::vector<fs::path> in_the_way;  // of images that are yet to be made
  for (const auto& entry : fs::directory_iterator(folder / "images", unknown)) {
    if (!entry.is_regular_file(unknown) && !is_set_aside(entry.path())) {
      in_the_way.push_back(entry.path());
    }
  }
  for (const fs::path& path : in_the_way) move(path, "file");
}

}  // namespace kvscope
