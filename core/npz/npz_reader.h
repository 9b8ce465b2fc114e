#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/checkpoint/zip_archive.h"
#include "core/npz/npy_header.h"

namespace kvscope {

/// An array as doubles, row-major.
struct NpyArray {
  std::vector<int64_t> shape{};
  std::vector<double> values{};
};

/// A numpy archive, arrays stored or deflated (savez, savez_compressed). Pickled arrays of objects
/// are refused: nothing in a file is run.
class NpzReader {
 public:
  /// Throws Error(kInput) for what is no sound zip archive.
  explicit NpzReader(const std::filesystem::path& path);

  /// Without ".npy", in the file's order.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& name) const;
  /// Reads the header alone. Throws Error(kInput) naming what is missing or wrong.
  [[nodiscard]] NpyHeader header(const std::string& name) const;
  /// Throws likewise, also for more than 2^27 elements and for elements that are no numbers.
  [[nodiscard]] NpyArray array(const std::string& name) const;
  [[nodiscard]] bool is_compressed(const std::string& name) const;

 private:
  [[nodiscard]] const ZipEntry& entry(const std::string& name) const;
  [[nodiscard]] std::string origin(const std::string& name) const;
  /// At most `most` bytes of what the entry holds, unpacked.
  [[nodiscard]] std::vector<std::byte> unpacked(const ZipEntry& entry, int64_t most) const;

  std::string name_;
  MappedFile file_;
  ZipArchive archive_;
};

}  // namespace kvscope
