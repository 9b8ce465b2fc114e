#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "core/text/html.h"

namespace kvscope {
namespace {

struct Entity {
  std::string_view name;
  std::string_view text;
};

constexpr Entity kEntities[] = {
#define X(name, text) {name, text},
#include "core/text/html_entities.def"
#undef X
};

// What Windows-1252 has at 80 to 9F; 0 where it has nothing.
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

std::string utf8(uint64_t code) {
  std::string text;
  const auto add = [&](uint64_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | (code >> 6));
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3F));
    add(0x80 | ((code >> 6) & 0x3F));
    add(0x80 | (code & 0x3F));
  }
  return text;
}

// Control characters and noncharacters, which a reference may not name.
bool is_unassigned(uint64_t code) {
  return (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
         (code >= 0x7F && code <= 0x9F) || (code >= 0xFDD0 && code <= 0xFDEF) ||
         (code & 0xFFFE) == 0xFFFE;
}

// The digits of &#...: what follows the "#", an x in front for base 16. Saturates.
uint64_t code_of(std::string_view digits) {
  const bool hexadecimal = digits.starts_with('x') || digits.starts_with('X');
  if (hexadecimal) digits.remove_prefix(1);
  uint64_t code = 0;
  for (const char digit : digits) {
    const int value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    code =
        std::min<uint64_t>(code * (hexadecimal ? 16 : 10) + static_cast<uint64_t>(value), 0x110000);
  }
  return code;
}

size_t count_while(std::string_view text, const char* letters) {
  return std::min(text.find_first_not_of(letters), text.size());
}

constexpr const char* kDecimal = "0123456789";
constexpr const char* kHexadecimal = "0123456789abcdefABCDEF";
constexpr size_t kLongestName = 32;  // characters

// Bytes of a name at the start of `text`: up to 32 characters that can stand in one.
size_t name_bytes(std::string_view text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (std::string_view("\t\n\f <&#;").find(text[i]) != std::string_view::npos) return i;
    if (++characters > kLongestName) return i;
  }
  return text.size();
}

// The longest beginning of `name` that HTML knows, and what is left of it.
std::string named(std::string_view name) {
  for (size_t bytes = name.size(); bytes >= 2; --bytes) {
    const auto text = html_entity(name.substr(0, bytes));
    if (text) return std::string(*text).append(name.substr(bytes));
  }
  return std::string("&").append(name);
}

}  // namespace

std::optional<std::string_view> html_entity(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kEntities, name, {}, &Entity::name);
  if (found == std::end(kEntities) || found->name != name) return std::nullopt;
  return found->text;
}

std::string html_numeric_entity(uint64_t code) {
  if (code >= 0x80 && code <= 0x9F && kWindows1252[code - 0x80] != 0) {
    return utf8(kWindows1252[code - 0x80]);
  }
  const bool is_character = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return utf8(is_character ? code : 0xFFFD);
}

std::string html_unescape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '&') {
      out += text[at++];
      continue;
    }
    const std::string_view rest = text.substr(at + 1);
    size_t used = 0;
    if (rest.starts_with('#')) {
      const bool hexadecimal = rest.size() > 1 && (rest[1] == 'x' || rest[1] == 'X');
      const size_t begin = hexadecimal ? 2 : 1;
      const size_t digits = count_while(rest.substr(begin), hexadecimal ? kHexadecimal : kDecimal);
      if (digits > 0) {
        used = begin + digits;
        const uint64_t code = code_of(rest.substr(1, used - 1));
        const bool mapped = code >= 0x80 && code <= 0x9F;
        if (mapped || !is_unassigned(code)) out += html_numeric_entity(code);
        if (used < rest.size() && rest[used] == ';') ++used;
      }
    } else {
      used = name_bytes(rest);
      if (used > 0) {
        if (used < rest.size() && rest[used] == ';') ++used;
        out += named(rest.substr(0, used));
      }
    }
    if (used == 0) out += '&';
    at += 1 + used;
  }
  return out;
}

}  // namespace kvscope
