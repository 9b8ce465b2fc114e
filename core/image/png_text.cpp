#include "core/image/png_text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace kvscope {
namespace {

// A chunk is: length (4 bytes, big-endian), type (4), data (length), CRC of type and data (4).
constexpr size_t kSignatureBytes = 8;
constexpr size_t kChunkOverheadBytes = 12;
constexpr size_t kHeaderChunkBytes = kChunkOverheadBytes + 13;

void append_big_endian(std::string& bytes, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
}

uint32_t read_big_endian(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

void check_entry(const std::string& key, const std::string& value) {
  const bool printable =
      std::ranges::all_of(key, [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (key.empty() || key.size() > 79 || !printable || key.front() == ' ' || key.back() == ' ') {
    throw Error(ErrorKind::kInput,
                fmt::format("PNG text key '{}': expected 1 to 79 printable ASCII characters", key));
  }
  if (value.find('\0') != std::string::npos || value.size() > (size_t{1} << 30)) {
    throw Error(ErrorKind::kInput,
                fmt::format("PNG text '{}': the value holds a zero byte or is too long", key));
  }
}

std::string text_chunk(const std::string& key, const std::string& value) {
  std::string data = "iTXt" + key;
  data.append(5, '\0');  // end of key, not compressed, method 0, no language, no
                         // translated key
  data += value;
  std::string chunk;
  append_big_endian(chunk, static_cast<uint32_t>(data.size() - 4));
  chunk += data;
  const auto* bytes = reinterpret_cast<const Bytef*>(data.data());
  append_big_endian(chunk, static_cast<uint32_t>(crc32(0, bytes, static_cast<uInt>(data.size()))));
  return chunk;
}

// Splits at the first zero byte; without one the rest is empty.
std::string_view take_until_zero(std::string_view& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view head = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return head;
}

// tEXt is Latin-1: its code points are its bytes.
std::string utf8_of_latin1(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x80) result += static_cast<char>(0xc0 | code >> 6);
    result += static_cast<char>(code >= 0x80 ? 0x80 | (code & 0x3f) : code);
  }
  return result;
}

void read_international(std::string_view data, PngText& text) {
  const std::string key(take_until_zero(data));
  if (data.size() < 2 || data[0] != '\0') return;  // compressed
  data.remove_prefix(2);
  take_until_zero(data);  // language
  take_until_zero(data);  // translated key
  text.emplace(key, data);
}

}  // namespace

void insert_png_text(std::vector<std::byte>& png, const PngText& text) {
  std::string chunks;
  for (const auto& [key, value] : text) {
    check_entry(key, value);
    chunks += text_chunk(key, value);
  }
  const auto bytes = std::as_bytes(std::span(chunks));
  png.insert(png.begin() + kSignatureBytes + kHeaderChunkBytes, bytes.begin(), bytes.end());
}

bool chunks_are_whole(std::span<const std::byte> png) {
  constexpr std::array<uint8_t, kSignatureBytes> kSignature = {137, 80, 78, 71, 13, 10, 26, 10};
  constexpr size_t kTypeBytes = 4;
  if (png.size() < kSignatureBytes ||
      !std::equal(kSignature.begin(), kSignature.end(), png.begin(),
                  [](uint8_t a, std::byte b) { return a == std::to_integer<uint8_t>(b); })) {
    return false;
  }
  png = png.subspan(kSignatureBytes);
  while (png.size() >= kChunkOverheadBytes) {
    const size_t length = read_big_endian(png);
    if (length > png.size() - kChunkOverheadBytes) return false;
    const std::span<const std::byte> checked = png.subspan(4, kTypeBytes + length);
    const auto* bytes = reinterpret_cast<const Bytef*>(checked.data());
    if (crc32(0, bytes, static_cast<uInt>(checked.size())) !=
        read_big_endian(png.subspan(4 + checked.size()))) {
      return false;
    }
    const std::string_view type(reinterpret_cast<const char*>(checked.data()), kTypeBytes);
    png = png.subspan(kChunkOverheadBytes + length);
    if (type == "IEND") return png.empty();
  }
  return false;
}

PngText extract_png_text(std::span<const std::byte> png, const std::string& origin) {
  PngText text;
  std::span<const std::byte> rest = png.subspan(std::min(kSignatureBytes, png.size()));
  while (rest.size() >= kChunkOverheadBytes) {
    const size_t length = read_big_endian(rest);
    if (length > rest.size() - kChunkOverheadBytes) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: a chunk of {} bytes at byte {} is longer than the file", origin,
                              length, png.size() - rest.size()));
    }
    const auto* begin = reinterpret_cast<const char*>(rest.data());
    const std::string_view type(begin + 4, 4);
    std::string_view data(begin + 8, length);
    if (type == "iTXt") read_international(data, text);
    if (type == "tEXt") {
      const std::string key(take_until_zero(data));
      text.emplace(key, utf8_of_latin1(data));
    }
    if (type == "IEND") break;
    rest = rest.subspan(length + kChunkOverheadBytes);
  }
  return text;
}

}  // namespace kvscope
