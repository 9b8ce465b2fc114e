#pragma once

#include <filesystem>

#include "core/config/value.h"

namespace kvscope {

/// Whether a value was written on the command line.
bool from_command_line(const ConfigOrigin& origin);

/// The path that a string names: on the command line relative to the working folder, in a file
/// relative to that file's folder. Absolute paths, and relative ones of unknown origin, stay.
std::filesystem::path path_of(const ConfigNode& node);

}  // namespace kvscope
