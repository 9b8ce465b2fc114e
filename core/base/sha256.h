#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvscope {

/// SHA-256 (FIPS 180-4) of a byte stream given in pieces.
class Sha256 {
 public:
  void update(const void* data, size_t size_bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// 64 lower-case hex digits of all bytes so far; the object is spent afterwards.
  std::string hex_digest();

 private:
  void absorb_block(const uint8_t* block);

  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> buffer_{};
  uint64_t total_bytes_ = 0;
};

std::string sha256_hex(std::string_view text);

}  // namespace kvscope
