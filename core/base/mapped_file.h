#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace kvscope {

/// A whole file mapped copy-on-write: reading touches the page cache, writing changes only this
/// process's private pages and never the file. The file must not be truncated while it is mapped.
class MappedFile {
 public:
  /// Throws Error(kInput) where `path` is missing, unreadable or no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Copies the file's bytes from `offset` on into all of `into`, past the map: its pages stay
  /// where they are. Throws Error(kInput) where the file ends before.
  void read(int64_t offset, std::span<std::byte> into) const;
  /// Gives back the memory of the pages that lie wholly inside `range`, a part of the map. They
  /// are read from the file again when next used; what was written to them is lost.
  void release(std::span<const std::byte> range) const;

  [[nodiscard]] int64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {data_, static_cast<size_t>(size_bytes_)};
  }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::byte* data_ = nullptr;  // null for an empty file
  int64_t size_bytes_ = 0;
};

}  // namespace kvscope
