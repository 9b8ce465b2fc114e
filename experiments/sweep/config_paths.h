#pragma once

#include <filesystem>

#include "core/config/value.h"

namespace kvscope {

/// Rewrites the relative paths of a composed config's model and train groups, which path_of()
/// reads, as those who open them take them: below `root` relative to it, elsewhere absolute. What a
/// checkout ships is so called the same on every machine. Files of metrics, which are read later
/// too, become absolute.
void settle_paths(ConfigNode& config, const std::filesystem::path& root);

}  // namespace kvscope
