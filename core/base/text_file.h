#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace kvscope {

/// The bytes of a regular file; none where it is missing, may not be read, or is something else: a
/// stream opens a folder like a file and throws as it is read.
std::optional<std::string> text_of_file(const std::filesystem::path& file);

}  // namespace kvscope
