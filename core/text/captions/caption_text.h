#pragma once

#include <string>
#include <string_view>

namespace kvscope {

/// %41 as "A" and + as a space, as Python's urllib.parse.unquote_plus: bytes that make no UTF-8
/// become U+FFFD, one for every longest beginning of a character.
std::string url_unquote_plus(std::string_view text);

/// Unicode lower case, as Python's str.lower(): a capital sigma that ends a word becomes a final
/// one, a dotted capital I keeps its dot.
std::string lower_case(std::string_view text);

/// `text` without the white space at both ends.
std::string strip(std::string_view text);

/// What ftfy.fix_text repairs, in its order and line by line: character references (up to the first
/// line with a "<"), wrong encodings (see repair_encoding), C1 controls, Latin ligatures,
/// full-width and half-width letters, curly quotes, line breaks, terminal escapes, control
/// characters, letters and their marks in two characters.
std::string fix_text(std::string_view text);

}  // namespace kvscope
