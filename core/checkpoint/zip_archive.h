#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mapped_file.h"

namespace kvscope {

/// A file inside a zip archive.
struct ZipEntry {
  std::string_view name;   ///< points into the archive's table of contents
  uint16_t method = 0;     ///< 0: stored as it is
  bool encrypted = false;  ///< or otherwise not to be read as it lies there
  int64_t header_byte = 0;
  int64_t data_byte = 0;   ///< from the start of the archive
  int64_t size_bytes = 0;  ///< as it lies in the archive
};

/// The table of contents of a zip archive with stored entries, as torch.save writes them, zip64
/// included. Nothing is unpacked: an entry is a part of the file's bytes, and its name is never
/// used as a path. Read past the map: looking at a header of a few bytes would map the data around
/// it.
class ZipArchive {
 public:
  /// `file` must outlive the archive; `name` names it in messages. Throws Error(kInput) naming the
  /// offset for an archive that is cut, contradicts itself, or has entries that overlap or share a
  /// name.
  ZipArchive(const MappedFile& file, std::string name);

  /// In the order of the central directory.
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;
  /// Throws Error(kInput) where `entry` is compressed or encrypted.
  void require_stored(const ZipEntry& entry) const;
  /// A copy of the bytes of `entry`, a small file. Throws as require_stored does, and for more than
  /// 256 MB.
  [[nodiscard]] std::vector<std::byte> contents(const ZipEntry& entry) const;

 private:
  const MappedFile& file_;
  std::string name_;
  std::vector<std::byte> directory_;  // holds the names
  std::vector<ZipEntry> entries_;
  std::map<std::string_view, size_t> index_;  // name -> position in entries_
};

}  // namespace kvscope
