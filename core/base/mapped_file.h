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

  [[nodiscard]] int64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {data_, static_cast<size_t>(size_bytes_)};
  }

 private:
  std::byte* data_ = nullptr;  // null for an empty file
  int64_t size_bytes_ = 0;
};

}  // namespace kvscope
