#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct PlotOptions {
  std::filesystem::path folder{};          ///< DIR with points/*/result.h5
  std::string metric = "all";              ///< its name, or all that were measured
  std::vector<std::string> highlighted{};  ///< policies in colour among grey ones, "a" or "a,b"
};

/// Draws memory against quality: DIR/report/memory_<metric>.{svg,png} from one drawing, and prints
/// the paths. Returns the exit code. Throws Error(kInput) for a folder without points,
/// Error(kConfig) for an unknown metric.
int plot_command(const PlotOptions& options);

}  // namespace kvscope
