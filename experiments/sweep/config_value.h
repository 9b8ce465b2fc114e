#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Replaces the value of "GROUP.KEY" in a config, or takes it out where `value` is null. Nothing
/// happens where there is no such group.
void set_config_value(ConfigNode& config, const std::string& path, const ConfigNode* value);

}  // namespace kvscope
