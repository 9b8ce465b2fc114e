#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/image/png.h"

namespace kvscope {

/// Whether every start tag of `xml` has its end tag in order and no stray < stands anywhere.
inline bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at)) {
    const size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.empty() || tag.find('<') != std::string::npos) return false;
    if (tag[0] == '?' || tag[0] == '!') continue;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    }
  }
  return open.empty();
}

/// A PNG read back through libpng; pixels as 0xRRGGBB.
struct DecodedFigure {
  int width = 0;
  int height = 0;
  std::vector<uint32_t> pixels;
  PngText text;
  [[nodiscard]] uint32_t at(int x, int y) const {
    return pixels[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
};

inline DecodedFigure decode_figure(const std::string& bytes) {
  const PngContent content = decode_png(std::as_bytes(std::span(bytes)), "figure");
  DecodedFigure figure{static_cast<int>(content.image.width),
                       static_cast<int>(content.image.height),
                       {},
                       content.text};
  for (size_t i = 0; i < content.image.rgb.size(); i += 3) {
    const uint8_t* rgb = &content.image.rgb[i];
    figure.pixels.push_back(static_cast<uint32_t>(rgb[0]) << 16 |
                            static_cast<uint32_t>(rgb[1]) << 8 | rgb[2]);
  }
  return figure;
}

}  // namespace kvscope
