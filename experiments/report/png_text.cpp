#include "experiments/report/png_text.h"

#include <zlib.h>

#include <algorithm>

#include "core/base/error.h"
#include "experiments/report/text.h"

namespace kvscope {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
constexpr size_t kHeaderEnd = 8 + 4 + 4 + 13 + 4;  // signature, then IHDR: length, type, data, CRC

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xFFu);
  return bytes;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0L, reinterpret_cast<const unsigned char*>(body.data()),
                         static_cast<uInt>(body.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + body +
         big_endian(static_cast<uint32_t>(crc));
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string with_png_text(std::string_view png, const std::vector<PngText>& entries) {
  if (png.size() < kHeaderEnd || png.substr(0, 8) != kSignature || png.substr(12, 4) != "IHDR") {
    throw Error(ErrorKind::kInput, "not a PNG file: its signature or header chunk is missing");
  }
  std::string out(png.substr(0, kHeaderEnd));
  for (const auto& [keyword, value] : entries) {
    const std::string clean = printable(value);
    if (is_ascii(clean)) {
      out += chunk("tEXt", keyword + '\0' + clean);
    } else {  // not compressed, no language, keyword not translated
      out += chunk("iTXt", keyword + std::string(5, '\0') + clean);
    }
  }
  out += png.substr(kHeaderEnd);
  return out;
}

}  // namespace kvscope
