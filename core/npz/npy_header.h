#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kvscope {

/// The header of an array in numpy's format NPY: in front of its elements, row-major unless
/// `fortran_order`. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
struct NpyHeader {
  std::string type{};  ///< as numpy spells it: "|u1", "<f4", "<f8", ...
  bool fortran_order = false;
  std::vector<int64_t> shape{};
  int64_t header_bytes = 0;  ///< up to the first element

  [[nodiscard]] int64_t elements() const;
  /// Of an element; 0 for a type that is not a plain number of 1 to 8 bytes, little-endian.
  [[nodiscard]] int64_t element_bytes() const;
};

/// The bytes of a header of version 1.0, padded to a multiple of 64 as numpy pads it.
std::string npy_header_text(const std::string& type, std::span<const int64_t> shape);

/// Reads what `bytes` begin with. Throws Error(kInput) naming `origin` for what is no NPY, cut,
/// of another version than 1.0 to 3.0, or of a shape that no memory holds.
NpyHeader read_npy_header(std::span<const std::byte> bytes, const std::string& origin);

}  // namespace kvscope
