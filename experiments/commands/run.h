#pragma once

#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope run`: validates all points, runs what is missing, prints the table and where report
/// and images are. Returns 0; 1 where points failed; 130 where interrupted. Errors: those of
/// list_points and run_sweep. `command_line` is recorded, and printed as the way to go on.
int run_command(const ConfigArguments& arguments, const std::string& command_line);

}  // namespace kvscope
