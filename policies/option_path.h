#pragma once

#include <filesystem>

#include "core/config/value.h"

namespace kvscope {

/// The file that a string option names. A relative path starts beside the YAML file that names it,
/// where such a file lies there, else at the working directory.
std::filesystem::path option_path(const ConfigNode& node);

}  // namespace kvscope
