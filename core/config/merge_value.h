#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Merges `source` into `target`, the value at `path` of `root`, by the rules of merge_config();
/// `closed`: keys that the target lacks are errors. An interpolation to a list or mapping is
/// replaced by what it stands for at that time.
void merge_value(ConfigNode& root,
                 ConfigNode& target,
                 const ConfigNode& source,
                 const std::string& path,
                 bool closed);

}  // namespace kvscope
