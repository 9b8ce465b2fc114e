#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/safetensors.h"

namespace kvscope::verify {

/// Sizes beyond this are damage; below it, products of two cannot overflow.
inline constexpr int64_t kLargestSize = int64_t{1} << 24;

/// A recorded run: configuration as strings in the metadata, inputs, weights and outputs as
/// tensors. A file may borrow its weights (tensors below "model.", "vae." and the like) from one
/// beside it, whose name is its metadata `weights_from`. It is recomputed on `device`: weights are
/// there, everything else is on the CPU until it is put there. All getters throw Error(kInput)
/// naming the file and the key or tensor. Nothing in the file is trusted.
class GoldenFile {
 public:
  explicit GoldenFile(const std::filesystem::path& path, c10::Device device = c10::kCPU);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] c10::Device device() const { return device_; }
  [[nodiscard]] bool has_key(const std::string& key) const;
  [[nodiscard]] const std::string& text(const std::string& key) const;
  /// An integer in [least, most].
  [[nodiscard]] int64_t integer(const std::string& key,
                                int64_t least = 1,
                                int64_t most = kLargestSize) const;
  [[nodiscard]] double number(const std::string& key) const;
  /// A JSON list of numbers, or a single one.
  [[nodiscard]] std::vector<double> numbers(const std::string& key) const;
  /// A JSON list of integers in [least, most], or a single one.
  [[nodiscard]] std::vector<int64_t> integers(const std::string& key,
                                              int64_t least = 1,
                                              int64_t most = kLargestSize) const;
  /// A JSON list of lists of integers, each in [1, 2^24].
  [[nodiscard]] std::vector<std::vector<int64_t>> integer_rows(const std::string& key) const;

  [[nodiscard]] bool has(std::string_view name) const { return reader_of(name) != nullptr; }
  [[nodiscard]] size_t tensor_count() const { return reader_.names().size(); }
  [[nodiscard]] const std::vector<int64_t>& shape(const std::string& name) const;
  /// The tensor, of exactly this shape.
  [[nodiscard]] at::Tensor tensor(const std::string& name, at::IntArrayRef shape);
  /// Tensors below `prefix`, named with it, on the device; floating types widened to fp32, which is
  /// exact.
  [[nodiscard]] TensorMap weights(const std::string& prefix);
  /// Tensors that nobody asked for.
  [[nodiscard]] std::vector<std::string> unread() const;

  /// Throws Error(kInput): "FILE: message".
  [[noreturn]] void fail(const std::string& message) const;

 private:
  /// Where `name` is: in the file, or, being a weight, in the one it borrows from; null: nowhere.
  [[nodiscard]] const SafetensorsReader* reader_of(std::string_view name) const;

  std::filesystem::path path_;
  c10::Device device_;
  SafetensorsReader reader_;
  std::optional<SafetensorsReader> lender_;
  std::set<std::string> read_;
};

}  // namespace kvscope::verify
