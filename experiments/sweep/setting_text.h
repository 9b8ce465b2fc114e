#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// A scalar, or a list of such, as a command line has it: "1" of 1.0, "null", "[1, 0.5]". Equal
/// numbers read alike. Throws Error(kConfig) for a map.
std::string setting_text(const ConfigNode& node);

}  // namespace kvscope
