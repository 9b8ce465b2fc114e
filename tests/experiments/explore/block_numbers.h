#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/hdf5/half.h"
#include "experiments/explore/record_payload.h"

namespace kvscope {

/// RFC 4648 base64 with padding, back to bytes.
inline std::string from_base64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    bits = bits << 6 | static_cast<unsigned>(letters.find(letter));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255u);
  }
  return bytes;
}

inline std::string block_bytes(const RecordPayload& payload, const std::string& name) {
  for (const PageBlock& block : payload.blocks) {
    if (block.name == name) return from_base64(block.base64);
  }
  throw std::out_of_range(name);
}

/// The numbers of a block of 16 or 32 bits each, as a page reads them.
inline std::vector<float> block_numbers(const RecordPayload& payload,
                                        const std::string& name,
                                        int bits) {
  const std::string bytes = block_bytes(payload, name);
  std::vector<float> numbers(bytes.size() * 8 / static_cast<size_t>(bits));
  if (bits == 32) {
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }
  std::vector<uint16_t> halves(numbers.size());
  std::memcpy(halves.data(), bytes.data(), bytes.size());
  hdf5::halves_to_floats(halves, numbers);
  return numbers;
}

}  // namespace kvscope
