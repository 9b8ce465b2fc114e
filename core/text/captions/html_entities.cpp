#include <algorithm>
#include <cstddef>
#include <string>

#include "core/text/captions/code_pages.h"
#include "core/text/captions/html.h"
#include "core/text/utf8.h"

namespace kvscope {
namespace {

struct Entity {
  std::string_view name;
  std::string_view text;
};

constexpr Entity kEntities[] = {
#define X(name, text) {name, text},
#include "core/text/captions/html_entities.def"
#undef X
};

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
  const bool is_character = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  const bool is_control = code >= 0x80 && code <= 0x9F;
  std::string text;
  append_utf8(text, is_control     ? windows_1252(static_cast<unsigned char>(code))
                    : is_character ? static_cast<char32_t>(code)
                                   : U'\uFFFD');
  return text;
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
