#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/image/png.h"

namespace kvscope {

/// Puts `text` as iTXt chunks behind the header chunk of `png`, in the order of the keys. Throws
/// Error(kInput) for a key the format forbids or a value with a zero byte.
void insert_png_text(std::vector<std::byte>& png, const PngText& text);

/// Whether signature and chunks fit the bytes, end included, and every CRC is right.
bool chunks_are_whole(std::span<const std::byte> png);

/// Uncompressed iTXt and tEXt chunks of `png`; compressed ones are left out. Throws Error(kInput)
/// naming `origin` where the chunks do not fit the bytes.
PngText extract_png_text(std::span<const std::byte> png, const std::string& origin);

}  // namespace kvscope
