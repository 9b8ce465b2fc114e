#include "core/image/picture_header.h"

#include <algorithm>
#include <array>

namespace kvscope {
namespace {

constexpr std::array<unsigned char, 8> kPngSignature = {0x89, 'P',  'N',  'G',
                                                        '\r', '\n', 0x1a, '\n'};

/// Big-endian bytes of a span; callers look at its size first.
int64_t number(std::span<const std::byte> bytes, size_t offset, size_t count) {
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i)
    value = value << 8 | std::to_integer<int64_t>(bytes[offset + i]);
  return value;
}

std::optional<PictureHeader> png_header(std::span<const std::byte> bytes) {
  constexpr size_t kHeaderBytes = 26;  // signature, and IHDR up to the colour type
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  PictureHeader header{.codec = "png",
                       .height = number(bytes, 20, 4),
                       .width = number(bytes, 16, 4),
                       .bits = static_cast<int>(number(bytes, 24, 1))};
  switch (number(bytes, 25, 1)) {
    case 0:
      header.mode = "grey";
      break;
    case 2:
      header.mode = "RGB";
      break;
    case 3:
      header.mode = "palette";
      break;
    case 4:
      header.mode = "grey with alpha";
      break;
    case 6:
      header.mode = "RGBA";
      break;
    default:
      return std::nullopt;
  }
  return header;
}

std::optional<PictureHeader> jpeg_header(std::span<const std::byte> bytes) {
  size_t offset = 2;
  while (offset + 4 <= bytes.size()) {
    if (number(bytes, offset, 1) != 0xff) return std::nullopt;
    const auto marker = number(bytes, offset + 1, 1);
    if (marker == 0xff) {  // padding
      ++offset;
      continue;
    }
    const auto length = static_cast<size_t>(number(bytes, offset + 2, 2));
    const bool is_frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame) {
      if (offset + 10 > bytes.size()) return std::nullopt;
      const int64_t channels = number(bytes, offset + 9, 1);
      return PictureHeader{.codec = "jpeg",
                           .height = number(bytes, offset + 5, 2),
                           .width = number(bytes, offset + 7, 2),
                           .bits = static_cast<int>(number(bytes, offset + 4, 1)),
                           .mode = channels == 1   ? "grey"
                                   : channels == 4 ? "CMYK"
                                                   : "RGB"};
    }
    if (marker == 0xda || marker == 0xd9 || length < 2) return std::nullopt;
    offset += 2 + length;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PictureHeader> picture_header(std::span<const std::byte> bytes) {
  const auto begins_with = [&](std::span<const unsigned char> signature) {
    return bytes.size() >= signature.size() &&
           std::ranges::equal(signature, bytes.first(signature.size()),
                              [](unsigned char a, std::byte b) { return std::byte{a} == b; });
  };
  if (begins_with(kPngSignature)) return png_header(bytes);
  static constexpr std::array<unsigned char, 3> kJpegStart = {0xff, 0xd8, 0xff};
  if (begins_with(kJpegStart)) return jpeg_header(bytes);
  return std::nullopt;
}

}  // namespace kvscope
