#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/image.h"

namespace kvscope {

/// Key-value texts inside a PNG. Keys are 1 to 79 printable ASCII characters, values UTF-8.
using PngText = std::map<std::string, std::string>;

/// An image and the texts that came with it.
struct PngContent {
  Image image;
  PngText text;
};

/// The bytes of an 8-bit RGB PNG with `text` as iTXt chunks; equal input gives equal bytes. Throws
/// Error(kInput) for an empty image or a key the format forbids.
std::vector<std::byte> encode_png(const Image& image, const PngText& text = {});

/// Any PNG as 8-bit RGB (alpha is composed onto black) with its uncompressed texts. Throws
/// Error(kInput) naming `origin` for anything damaged, or larger than 2^28 pixels.
PngContent decode_png(std::span<const std::byte> bytes, const std::string& origin);

/// encode_png to a file that appears whole or not at all.
void write_png(const std::filesystem::path& path, const Image& image, const PngText& text = {});

/// Whether the file is a PNG from signature to end with every chunk as its CRC says; no pixel is
/// decoded. False for whatever cannot be read.
bool is_whole_png(const std::filesystem::path& path);

/// decode_png of a file.
PngContent read_png(const std::filesystem::path& path);

}  // namespace kvscope
