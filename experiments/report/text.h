#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// The code points of UTF-8 `text`; every malformed byte becomes U+FFFD, so no input is an error.
std::vector<char32_t> decode_utf8(std::string_view text);

/// UTF-8 of one code point; surrogates and values beyond U+10FFFF become U+FFFD.
std::string encode_utf8(char32_t code_point);

/// Valid UTF-8 on one line that cannot drive a terminal or reorder text: newlines and tabs become a
/// space, other control characters and bidirectional overrides U+FFFD.
std::string printable(std::string_view text);

/// Columns that printable `text` takes in a terminal: combining marks 0, East Asian wide 2.
int64_t display_width(std::string_view text);

/// `text`, which is printable, in at most `columns` (from 1 on) columns of a terminal: where it is
/// longer, its beginning and "…".
std::string shortened(std::string_view text, int64_t columns);

/// For XML and HTML text and attributes alike: & < > " ' as entities; the rest as `printable`,
/// except that newlines and tabs stay.
std::string escape_xml(std::string_view text);

/// Superscript digits, e.g. 12 -> "¹²": footnote marks that need no markup. Requires number >= 0.
std::string superscript(int64_t number);

/// RFC 4648 base64 with padding.
std::string base64(std::string_view bytes);

}  // namespace kvscope
