#pragma once

#include <string>
#include <vector>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// Which of the points that a command line asks for are run, and how.
struct RunOptions {
  std::vector<std::string> only{};  ///< beginnings of hashes; empty: all
  bool retry_failed = false;        ///< only those whose last attempt failed
  bool force = false;               ///< what is there is made again
};

/// `kvscope run`: validates all points, runs what is missing, prints the table and where report
/// and images are. Returns 0; 1 where points failed; 130 where interrupted. Errors: those of
/// list_points and run_sweep, and Error(kConfig) where no point has a hash of `only`.
/// `command_line` is recorded, and printed as the way to go on.
int run_command(const ConfigArguments& arguments,
                const std::string& command_line,
                const RunOptions& options = {});

}  // namespace kvscope
