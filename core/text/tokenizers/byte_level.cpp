#include "core/text/tokenizers/byte_level.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace kvscope {
namespace {

constexpr bool is_own_character(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

struct Table {
  std::array<uint16_t, 256> character_of{};
  std::array<int16_t, 0x144> byte_of{};
};

constexpr Table kTable = [] {
  Table table;
  for (int16_t& byte : table.byte_of) byte = -1;
  uint16_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = is_own_character(byte) ? static_cast<uint16_t>(byte) : next++;
    table.character_of[static_cast<size_t>(byte)] = character;
    table.byte_of[character] = static_cast<int16_t>(byte);
  }
  return table;
}();

}  // namespace

std::string byte_level_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const unsigned character = kTable.character_of[static_cast<unsigned char>(byte)];
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else {
      text += static_cast<char>(0xC0 | (character >> 6));
      text += static_cast<char>(0x80 | (character & 0x3F));
    }
  }
  return text;
}

std::optional<std::string> byte_level_bytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    auto character = static_cast<size_t>(static_cast<unsigned char>(text[i]));
    if (character >= 0xC0) {
      // Every character that stands for a byte takes one or two bytes in UTF-8.
      if (character >= 0xE0 || i + 1 == text.size()) return std::nullopt;
      character = ((character & 0x1F) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F);
    }
    if (character >= kTable.byte_of.size() || kTable.byte_of[character] < 0) return std::nullopt;
    bytes += static_cast<char>(kTable.byte_of[character]);
  }
  return bytes;
}

}  // namespace kvscope
