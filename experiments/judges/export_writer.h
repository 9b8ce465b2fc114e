#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "experiments/judges/export_plan.h"

namespace kvscope {

/// The PNG of a tile.
using TileFile = std::function<std::filesystem::path(const ImageTile& tile)>;

struct WriterOptions {
  int jpeg_quality = 95;
  std::function<bool()> stop_asked;  ///< asked before every picture
};

/// Height and width of a set of pictures.
struct PictureSize {
  int64_t height = 0;
  int64_t width = 0;
};

/// Looks at every image that a plan needs, before anything is written: `missing` hears of each that
/// is not there or damaged. Throws Error(kInput) where two sizes differ, naming both.
PictureSize check_tiles(
    const ExportPlan& plan,
    const TileFile& file_of,
    const std::function<void(const ImageTile& tile, const std::string& why)>& missing);

/// Writes the folder, through OUT.part-PROCESS beside it, which is renamed when everything in it is
/// on the disk; nothing of it stays where that fails. Where `single_file`, OUT is the plan's
/// archive itself. Returns false where it was asked to stop. Throws Error(kEnvironment) where OUT
/// is there already, or the disk is full.
bool write_export(const ExportPlan& plan,
                  const PictureSize& size,
                  const TileFile& file_of,
                  const std::filesystem::path& out,
                  bool single_file,
                  const WriterOptions& options);

/// Throws Error(kEnvironment) where `path` is there.
void refuse_existing(const std::filesystem::path& path, const std::string& option);

}  // namespace kvscope
