#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kvscope {

/// Byte-level tokenizers write every byte as one printable character (Radford et al. 2019): ASCII
/// 21-7E, A1-AC and AE-FF as themselves, the other 68 bytes as U+0100 onwards in order.

/// The characters of `bytes`, in UTF-8.
std::string byte_level_text(std::string_view bytes);

/// The bytes behind `text`, or none where a character of it stands for no byte.
std::optional<std::string> byte_level_bytes(std::string_view text);

}  // namespace kvscope
