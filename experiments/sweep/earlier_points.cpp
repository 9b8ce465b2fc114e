#include "experiments/sweep/earlier_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/config/format.h"
#include "core/config/yaml.h"
#include "core/image/png.h"
#include "experiments/sweep/number_spelling.h"
#include "experiments/sweep/point_lease.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string asking_of(const ConfigNode& config) {
  std::string text;
  for (const std::string& key : formerly_hashed_keys()) {
    const ConfigNode* value = config.find(key);
    text += value == nullptr ? "-" : canonical_json(*value);
  }
  return text;
}

/// The same file under another name; where the file system has no links, a copy.
void share_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  fs::create_hard_link(from, to, error);
  if (!error) return;
  const MappedFile file(from);
  AtomicFile copy(to);
  copy.write(file.bytes());
  copy.commit();
}

}  // namespace

EarlierPoints::EarlierPoints(const fs::path& points_folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(points_folder, error)) {
    for (const char* name : {"result.h5", "result.h5.part"}) {
      const fs::path file = entry.path() / name;
      if (!fs::is_regular_file(file, error) || PointLease::holder(entry.path())) continue;
      try {
        const PointInfo point = read_result(file).point;
        Earlier one{.folder = entry.path(),
                    .file = file,
                    .hash = point.point_hash,
                    .setting_hash = point.setting_hash,
                    .config = load_yaml_text(point.config_yaml, file.string())};
        one.asking = asking_of(one.config);
        earlier_.push_back(std::move(one));
      } catch (const std::exception&) {
        // Damaged, or another program is at work on it: it has nothing to give.
      }
    }
  }
}

void EarlierPoints::give(const Point& point,
                         const fs::path& folder,
                         std::vector<ImageRow>& rows,
                         std::vector<std::string>& notes) const {
  std::map<std::string, std::string> former_hashes;  // by asking and spelling
  const auto former_hash = [&](const Earlier& one) -> const std::string& {
    ConfigNode spelt = point.config;
    take_spelling(spelt, one.config);
    const auto [found, is_new] = former_hashes.try_emplace(one.asking + canonical_json(spelt));
    if (is_new) found->second = point.former_hash(one.config);
    return found->second;
  };
  const auto is_of_setting = [&](const Earlier& one) {
    if (one.setting_hash.empty()) return one.hash == former_hash(one);
    return one.setting_hash == point.setting_hash ||
           one.setting_hash == point.setting_hash_spelt_as(one.config);
  };
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> wanted;  // number by prompt id and seed
  for (uint64_t image = 0; image < static_cast<uint64_t>(point.images()); ++image) {
    wanted[{point.prompt_of(image).id, point.seed_of(image)}] = image;
  }
  for (const ImageRow& row : rows) wanted.erase({row.prompt_id, row.seed});
  for (const Earlier& one : earlier_) {
    if (wanted.empty()) return;
    if (one.hash == point.hash) continue;  // its own folder
    if (!is_of_setting(one)) continue;
    int64_t given = 0;
    try {
      ResultFile earlier = read_result(one.file);
      forget_other_origins(earlier.rows, earlier.point.metric_origins, point.metric_origins);
      for (ImageRow& row : earlier.rows) {
        const auto found = wanted.find({row.prompt_id, row.seed});
        if (found == wanted.end() || point.prompt_of(found->second).text != row.prompt) continue;
        const fs::path png_path = image_path(one.folder, row.image_index);
        if (!is_whole_png(png_path)) continue;
        row.image_index = point.number_of(found->second);
        const fs::path own = image_path(folder, row.image_index);
        if (!is_whole_png(own)) share_file(png_path, own);
        rows.push_back(std::move(row));
        wanted.erase(found);
        ++given;
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kEnvironment) throw;
    }
    if (given > 0) {
      notes.push_back(fmt::format("{} image{} of {} taken over", given, given == 1 ? "" : "s",
                                  one.folder.string()));
    }
  }
  std::ranges::sort(rows, {}, &ImageRow::image_index);
}

}  // namespace kvscope
