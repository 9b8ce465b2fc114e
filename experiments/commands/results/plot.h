#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct PlotOptions {
  std::filesystem::path folder{};          ///< DIR with points/*/result.h5
  std::string metric = "all";              ///< its name, or all that were measured
  std::vector<std::string> highlighted{};  ///< policies in colour among grey ones, "a" or "a,b"
  std::filesystem::path out{};             ///< one figure: FILE.svg, .png or .pdf; empty: all
  double width_px = 860;
  double height_px = 500;
  double font_size_px = 11.5;  ///< of names; the rest in proportion
  bool without_title = false;
};

/// Draws memory against quality: DIR/report/memory_<metric>.{svg,png} from one drawing, or `out`
/// alone, and prints the paths. What would show no point is not written, and said. Returns the exit
/// code. Throws Error(kInput) for a folder without points, or without one to draw in `out`,
/// Error(kConfig) for an unknown metric, an impossible size, or where `out` is not one figure.
int plot_command(const PlotOptions& options);

}  // namespace kvscope
