#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kvscope {

/// Appends the character `code`, at most U+10FFFF, in UTF-8.
void append_utf8(std::string& text, char32_t code);

/// The character that begins at byte `at` of `text`, which must be valid UTF-8; moves `at` behind
/// it.
char32_t next_character(std::string_view text, size_t& at);

/// What stands at a place of bytes that may be UTF-8 or not.
struct Utf8Step {
  size_t bytes = 1;    ///< of the character, or of the longest beginning of one
  bool whole = false;  ///< whether it is a character
};

/// `at` must lie within `bytes`.
Utf8Step utf8_step(std::string_view bytes, size_t at);

}  // namespace kvscope
