#include "experiments/sweep/former_point.h"

#include "experiments/sweep/results_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

fs::path former_of(const fs::path& point_folder) {
  return point_folder / "former";
}

}  // namespace

void keep_former(const fs::path& point_folder) {
  std::error_code error;
  if (has_former(point_folder)) return;
  // Results last: before they have moved, the folder is what it was.
  for (const char* name : {"images", "result.h5.part", "result.h5"}) {
    const fs::path path = point_folder / name;
    if (!fs::exists(fs::symlink_status(path, error))) continue;
    fs::create_directories(former_of(point_folder), error);
    if (!error) fs::rename(path, former_of(point_folder) / name, error);
    if (error) refuse_results_folder(point_folder, error.message());
  }
}

bool has_former(const fs::path& point_folder) {
  std::error_code unknown;
  return fs::is_directory(former_of(point_folder), unknown);
}

void remove_former(const fs::path& point_folder) {
  std::error_code unknown;
  fs::remove_all(former_of(point_folder), unknown);
}

}  // namespace kvscope
