#pragma once

#include <filesystem>
#include <string_view>

namespace kvscope {

/// Writes `bytes` to `path` so that a reader sees the old file or the whole new one, never a part:
/// into `path`.part, flushed to the disk, then renamed. On failure the part is removed and the old
/// file stands. Errors: kEnvironment (no such folder, unwritable, disk full), naming path and
/// cause.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace kvscope
