#pragma once

#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope list WHAT`: policies, parts, models, experiments, groups or keys. Returns the exit
/// code. `json`: one object. Throws Error(kConfig) for anything else.
int list_command(const ConfigArguments& arguments, const std::string& what, bool json = false);

/// `kvscope list keys --format md`: prints docs/keys.md. Returns the exit code. Throws
/// Error(kConfig) for other lists and formats.
int keys_page_command(const ConfigArguments& arguments,
                      const std::string& what,
                      const std::string& format);

/// `kvscope describe policy/NAME`: an option of a group with its file; `describe gen.cfg`: a key.
/// Returns the exit code. Throws Error(kConfig) with the nearest name.
int describe_command(const ConfigArguments& arguments, const std::string& what, bool json = false);

}  // namespace kvscope
