#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// A file inside a zip archive.
struct ZipEntry {
  std::string_view name;   ///< points into the archive's bytes
  uint16_t method = 0;     ///< 0: stored as it is
  bool encrypted = false;  ///< or otherwise not to be read as it lies there
  int64_t header_byte = 0;
  int64_t data_byte = 0;   ///< from the start of the archive
  int64_t size_bytes = 0;  ///< as it lies in the archive
};

/// The table of contents of a zip archive with stored entries, as torch.save writes them, zip64
/// included. Nothing is unpacked: an entry is a part of the archive's bytes, and its name is never
/// used as a path.
class ZipArchive {
 public:
  /// `bytes` must outlive the archive; `file` names it in messages. Throws Error(kInput) naming the
  /// place for an archive that is cut, contradicts itself, or has entries that overlap or share a
  /// name.
  ZipArchive(std::span<const std::byte> bytes, std::string file);

  /// In the order of the central directory.
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;
  /// The bytes of `entry`. Throws Error(kInput) where it is compressed or encrypted.
  [[nodiscard]] std::span<const std::byte> contents(const ZipEntry& entry) const;

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::vector<ZipEntry> entries_;
  std::map<std::string_view, size_t> index_;  // name -> position in entries_
};

}  // namespace kvscope
