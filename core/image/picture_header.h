#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kvscope {

/// What a picture file says of itself, whatever its name ends in.
struct PictureHeader {
  std::string codec{};  ///< "png" or "jpeg"
  int64_t height = 0;   ///< pixels
  int64_t width = 0;
  int bits = 0;        ///< of a channel
  std::string mode{};  ///< "RGB", "RGBA", "palette", "grey", "grey with alpha", "CMYK"
};

/// Of a PNG or JPEG that begins with `bytes`; none for anything else, or where it is cut inside the
/// header. Nothing is decoded.
std::optional<PictureHeader> picture_header(std::span<const std::byte> bytes);

}  // namespace kvscope
