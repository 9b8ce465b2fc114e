#pragma once

#include <map>
#include <string>

namespace kvscope {

/// Hydra's built-in config files: path -> YAML text.
const std::map<std::string, std::string>& builtin_configs();

}  // namespace kvscope
