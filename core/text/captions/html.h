#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvscope {

/// What `&name` stands for, in UTF-8; `name` without the ampersand, with its ";" where it has one.
std::optional<std::string_view> html_entity(std::string_view name);

/// The character that &#code; stands for: Windows-1252's for 80 to 9F, U+FFFD for what is no
/// character at all.
std::string html_numeric_entity(uint64_t code);

/// `text` with every character reference replaced, as HTML reads them and Python's html.unescape
/// does: also names without ";" where HTML knows them so, and numbers; unassigned codes give
/// nothing.
std::string html_unescape(std::string_view text);

/// The text of a piece of HTML, as Beautiful Soup's `.text` gives it over Python's html.parser:
/// tags, comments and declarations removed, character references replaced, the content of script,
/// style, template, rt and rp left out. What looks like HTML but is not ("a < b") stays.
std::string html_text(std::string_view html);

}  // namespace kvscope
