#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "experiments/sweep/point.h"

namespace kvscope {

/// What is wrong with a file of a point.
struct Damage {
  std::filesystem::path path{};
  std::string why{};
};

/// What a point's folder has of it, looked through byte by byte.
struct KeptPoint {
  std::vector<ImageRow> rows{};  ///< whose images are whole, by image number
  int64_t asked = 0;             ///< how many of them the point asks for
  std::vector<Damage> damage{};
  bool is_done = false;  ///< result.h5 has all that the point asks for, and says so
};

/// Reads what is there; changes nothing, and throws for nothing that it finds.
KeptPoint look_through(const Point& point, const std::filesystem::path& folder);

/// Looks through a folder that nobody else works on and gives everything that is damaged another
/// name, so that it can be made again. `notes` gets a line of each: what was kept where. Throws
/// Error(kEnvironment) where something cannot be renamed.
KeptPoint repaired(const Point& point,
                   const std::filesystem::path& folder,
                   std::vector<std::string>& notes);

/// Renames what stands in the way of a point's folder or of the folders and files in it that are
/// not results: files where folders belong, and the other way round.
void clear_the_way(const std::filesystem::path& folder, std::vector<std::string>& notes);

}  // namespace kvscope
