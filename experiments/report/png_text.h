#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvscope {

/// Keyword and value of one text entry of a PNG file; the keyword has 1 to 79 Latin letters.
using PngText = std::pair<std::string, std::string>;

/// `png` with the entries placed after its header chunk: tEXt where the value is ASCII, else iTXt
/// (UTF-8). Cairo's writer knows no text. Errors: kInput when `png` is not a PNG file.
std::string with_png_text(std::string_view png, const std::vector<PngText>& entries);

}  // namespace kvscope
