#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace kvscope {

/// A file that appears whole or not at all: bytes go to PATH.part-PROCESS, commit() makes them
/// durable (fsync) and renames. Without commit() the part is removed and whatever was at PATH
/// stays. Missing parent folders are created.
class AtomicFile {
 public:
  /// Throws Error(kEnvironment) where the folder cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Throws Error(kEnvironment) where the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Throws Error(kEnvironment) where the bytes cannot be made durable or the name cannot be taken.
  void commit();

  /// Where the bytes lie until commit(): for libraries that write a file by name.
  [[nodiscard]] const std::filesystem::path& part_path() const { return part_path_; }

 private:
  std::filesystem::path path_;
  std::filesystem::path part_path_;
  int descriptor_ = -1;
};

/// Where an AtomicFile of this process for `path` keeps its bytes until commit().
std::filesystem::path own_part(const std::filesystem::path& path);

/// Removes what killed programs left of AtomicFiles in `folder` and below; only for a folder that
/// nobody else writes to.
void remove_abandoned_parts(const std::filesystem::path& folder);

/// `text` as the whole content of `path`, through an AtomicFile.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace kvscope
