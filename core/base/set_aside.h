#pragma once

#include <filesystem>

namespace kvscope {

/// Renames what stands at `path`, file or folder, to PATH.damaged, or PATH.damaged-2 and so on
/// where that is taken, so that something sound can take its place and nothing is lost. Returns the
/// new name. Throws Error(kEnvironment) where it cannot be renamed.
std::filesystem::path set_aside(const std::filesystem::path& path);

/// Whether a file or folder has its name from set_aside().
bool is_set_aside(const std::filesystem::path& path);

}  // namespace kvscope
