#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// A checkpoint in safetensors form, memory-mapped: one file, or a folder of shards with its
/// `model.safetensors.index.json`. Opening reads and checks the headers only.
class SafetensorsReader {
 public:
  /// `path` is a .safetensors file, an index .json, or a folder holding `*.safetensors.index.json`
  /// or exactly one .safetensors file. Throws Error(kInput) naming file and place for anything that
  /// is not exactly a well-formed checkpoint.
  explicit SafetensorsReader(const std::filesystem::path& path);

  /// In the order of the headers; of shards in the order of their file names.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool contains(std::string_view name) const;
  /// These throw Error(kInput) naming the nearest name where there is none called `name`.
  [[nodiscard]] const std::vector<int64_t>& shape(std::string_view name) const;
  [[nodiscard]] at::ScalarType dtype(std::string_view name) const;
  /// A view of the map, which lives as long as any tensor does: nothing is read until used. Writing
  /// to it changes private pages, never the file. A tensor the file does not align to its element
  /// size is a copy instead.
  [[nodiscard]] at::Tensor tensor(std::string_view name) const;
  /// Every tensor, as tensor() gives them.
  [[nodiscard]] TensorMap tensors() const;
  /// The `__metadata__` of all files; the first file wins where keys repeat.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The value of `key`, or Error(kInput) listing the known keys.
  [[nodiscard]] const std::string& metadata(const std::string& key) const;

 private:
  struct Location {
    std::shared_ptr<MappedFile> file;
    int64_t data_begin = 0;  // bytes from the start of the file
    SafetensorsEntry entry;
  };

  void add_file(const std::filesystem::path& path);
  void add_index(const std::filesystem::path& index);
  [[nodiscard]] const Location& locate(std::string_view name) const;

  std::string path_;
  std::vector<std::string> names_;
  std::map<std::string, Location, std::less<>> locations_;
  std::map<std::string, std::string> metadata_;
};

/// All tensors of the checkpoint at `path`.
TensorMap read_safetensors(const std::filesystem::path& path);

/// Through an AtomicFile: a killed program leaves the old file or the new one. Tensors
/// of wider elements come first so that all are aligned; otherwise the order given is kept. Throws
/// Error(kInput) for a name given twice or a dtype the format lacks, Error(kEnvironment) where the
/// file cannot be written.
void write_safetensors(const std::filesystem::path& path,
                       std::span<const std::pair<std::string, at::Tensor>> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace kvscope
