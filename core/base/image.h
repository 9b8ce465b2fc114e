#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kvscope {

/// An 8-bit RGB image, row-major, three bytes a pixel.
struct Image {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> rgb;  // [height * width * 3]

  Image() = default;
  Image(int64_t height_pixels, int64_t width_pixels)
      : height(height_pixels),
        width(width_pixels),
        rgb(static_cast<size_t>(height_pixels * width_pixels * 3)) {}

  [[nodiscard]] uint8_t* pixel(int64_t y, int64_t x) { return &rgb[(y * width + x) * 3]; }
  [[nodiscard]] const uint8_t* pixel(int64_t y, int64_t x) const {
    return &rgb[(y * width + x) * 3];
  }
  bool operator==(const Image&) const = default;
};

}  // namespace kvscope
