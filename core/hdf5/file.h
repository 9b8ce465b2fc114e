#pragma once

#include <cstdint>
#include <filesystem>

#include "core/hdf5/group.h"

namespace kvscope::hdf5 {

/// An HDF5 file. It survives kill -9 where every object is created and flushed first and rows are
/// then only appended: create the groups, datasets and attributes, flush(), append. A file has one
/// writer; while it is open for writing no other process can open it.
class File {
 public:
  enum class Access { kRead, kAppend };

  /// A new file, replacing any at `path`; missing folders are created. Its first `free_bytes` (0,
  /// or a power of two from 512 on) are left to the caller. Throws Error(kEnvironment).
  static File create(const std::filesystem::path& path, int64_t free_bytes = 0);
  /// Throws Error(kInput) where it is missing, damaged, or being written by someone else.
  static File open(const std::filesystem::path& path, Access access);

  [[nodiscard]] Group& root() { return root_; }
  [[nodiscard]] const Group& root() const { return root_; }
  void flush() { root_.flush(); }

 private:
  File(Handle handle, const std::filesystem::path& path);

  Handle handle_;
  Group root_;
};

}  // namespace kvscope::hdf5
