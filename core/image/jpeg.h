#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/image.h"

namespace kvscope {

/// The bytes of a baseline JPEG of 8-bit YCbCr with colours at half the resolution (4:2:0), as
/// OpenCV and PIL write them by default. `quality` is libjpeg's, 1 to 100: OpenCV's default is 95,
/// PIL's 75. Equal input gives equal bytes. Throws Error(kInput) for an empty image, one of more
/// than 65500 pixels a side, or a quality out of range.
std::vector<std::byte> encode_jpeg(const Image& image, int quality);

/// A JPEG as 8-bit RGB. Throws Error(kInput) naming `origin` for anything damaged, or larger than
/// 2^28 pixels.
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& origin);

}  // namespace kvscope
