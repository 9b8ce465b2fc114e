#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kvscope {

/// A character set of one byte a character whose lower half is ASCII.
struct CodePage {
  std::string_view name;
  std::u32string_view upper;  ///< what bytes 80 to FF stand for, 128 characters
  /// Whether U+FFFD is kept as byte 1A: a character that somebody could not read.
  bool loses_characters = false;
  /// Whether a space may once have been A0, a no-break space in most pages.
  bool loses_no_break_spaces = true;
};

/// The pages in which UTF-8 is commonly misread, the commonest first; Latin-1 goes before all.
std::span<const CodePage> code_pages();

/// What a byte stands for in Windows-1252; free bytes are the control characters of their numbers.
char32_t windows_1252(unsigned char byte);

/// The bytes of `text` (valid UTF-8) in `page`; nothing where it has a character that the page
/// lacks.
std::optional<std::string> page_bytes(const CodePage& page, std::string_view text);

/// The bytes of `text` (valid UTF-8) in Latin-1, and a text of them.
std::optional<std::string> latin1_bytes(std::string_view text);
std::string latin1_text(std::string_view bytes);

}  // namespace kvscope
