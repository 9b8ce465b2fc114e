#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace kvscope {

/// Writes a numpy archive (.npz) as numpy.savez does: a zip of uncompressed NPY arrays, zip64
/// throughout, so that it may be larger than 4 GiB. An array's elements are given in pieces. Who
/// calls sees to it that a file that is not finished does not keep its name.
class NpzWriter {
 public:
  /// Begins the file, over one that is there. Throws Error(kEnvironment).
  explicit NpzWriter(std::filesystem::path path);

  /// Begins array `name` ("arr_0"), row-major. The one before it has to be complete.
  void begin_array(const std::string& name,
                   const std::string& type,
                   std::span<const int64_t> shape);
  /// The next elements of it. Throws Error(kEnvironment) where the disk is full.
  void append(std::span<const std::byte> elements);
  /// Ends the file. Throws Error(kAudit) where the last array lacks elements, Error(kEnvironment)
  /// where not all could be written.
  void finish();

 private:
  struct Entry {
    std::string name;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t expected_bytes = 0;
    uint32_t crc = 0;
  };
  void write(const std::string& bytes);
  void end_array();
  void check() const;

  std::filesystem::path path_;
  std::ofstream file_;
  uint64_t offset_ = 0;
  bool is_open_array_ = false;
  std::vector<Entry> entries_;
};

}  // namespace kvscope
