#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// Where one tensor of a safetensors file lies and how to read it.
struct SafetensorsEntry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;
  int64_t begin_byte = 0;  ///< from the start of the data part
  int64_t end_byte = 0;
  int64_t packed_bits = 0;  ///< of an element, where it is less than a byte: `shape` then has bytes
};

/// The JSON part of a safetensors file.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;        ///< in the header's order
  std::map<std::string, std::string> metadata;  ///< `__metadata__`
};

/// Reads `json`, trusting nothing: nesting, duplicate names, types, overflow of shapes, and tensors
/// that do not tile the `data_bytes` behind the header exactly are Error(kInput) naming `file` and
/// the tensor.
SafetensorsHeader parse_safetensors_header(std::string_view json,
                                           int64_t data_bytes,
                                           const std::string& file);

/// The JSON of `header`, padded with spaces to a multiple of 8 bytes. Throws Error(kInput) for a
/// name that is not UTF-8.
std::string format_safetensors_header(const SafetensorsHeader& header);

}  // namespace kvscope
