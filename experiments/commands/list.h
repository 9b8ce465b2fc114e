#pragma once

#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope list WHAT`: policies, parts, models, experiments, groups or keys. Returns the exit
/// code. `json`: one object. Throws Error(kConfig) for anything else.
int list_command(const ConfigArguments& arguments, const std::string& what, bool json = false);

/// `kvscope describe policy/NAME`: an option of a group with its file; `describe gen.cfg`: a key.
/// Returns the exit code. Throws Error(kConfig) with the nearest name.
int describe_command(const ConfigArguments& arguments, const std::string& what, bool json = false);

}  // namespace kvscope
