#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct PaperRunOptions {
  std::string name{};                    ///< of a file of configs/paper, or a unique beginning
  std::vector<std::string> overrides{};  ///< for its commands, such as model=infinity_2b
  std::filesystem::path folder{};        ///< results; empty: outputs/paper/NAME
  std::filesystem::path config_folder{};
  bool dry = false;  ///< print the commands, run nothing
};

/// `kvscope paper run NAME`: runs the item's commands one after the other, each printed as it can
/// be pasted, until one fails, and prints published numbers beside measured ones, which go to
/// published.csv in its folder. Sweeps and records among them go on where they were interrupted.
/// Returns 0, or the exit code of the command that failed. Throws Error(kConfig) for an unknown
/// item, and for one that needs what was not given.
int paper_run_command(const PaperRunOptions& options);

}  // namespace kvscope
