#pragma once

#include <filesystem>
#include <string>

#include "experiments/sweep/point.h"

namespace kvscope {

/// Where a sweep's results go, and what the user should know of it.
struct SweepFolder {
  std::filesystem::path path{};
  std::string note{};  ///< empty where the folder is as expected
};

/// A folder belongs to one sweep: FOLDER/sweep.json says of which points. The folder of `list`,
/// where the user chose it, or where it is new or of the same sweep: one whose points are among the
/// other's or the other way round, and for a run of a single point all that agree in everything but
/// policy and budget. Otherwise the first of FOLDER-2, FOLDER-3, ... of which that is true.
/// Files of the weights do not count: a sweep of a model that was trained further is the same.
SweepFolder sweep_folder(const PointList& list, bool multirun);

/// Writes the sweep's points into FOLDER/sweep.json, beside those that are in it. Throws
/// Error(kEnvironment).
void record_sweep(const std::filesystem::path& folder,
                  const PointList& list,
                  const std::string& command_line);

}  // namespace kvscope
