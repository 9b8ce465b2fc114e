#include "core/text/utf8.h"

namespace kvscope {
namespace {

// Range that the second byte of a character must lie in, and how many bytes follow the first.
struct Lead {
  int following = 0;
  unsigned lowest = 0x80;
  unsigned highest = 0xBF;
};

// Table 3-7 of the Unicode Standard: no overlong forms, no surrogates, nothing above U+10FFFF.
Lead lead_of(unsigned byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90};
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

}  // namespace

void append_utf8(std::string& text, char32_t code) {
  const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
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
}

char32_t next_character(std::string_view text, size_t& at) {
  const auto byte = [&] { return static_cast<unsigned char>(text[at++]); };
  const char32_t lead = byte();
  if (lead < 0x80) return lead;
  const int following = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  char32_t code = lead & (0x3FU >> following);
  for (int i = 0; i < following && at < text.size(); ++i) code = code << 6 | (byte() & 0x3FU);
  return code;
}

Utf8Step utf8_step(std::string_view bytes, size_t at) {
  const auto byte_at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  Lead lead = lead_of(byte_at(at));
  size_t end = at + 1;
  while (lead.following > 0 && end < bytes.size() && byte_at(end) >= lead.lowest &&
         byte_at(end) <= lead.highest) {
    ++end;
    lead = {lead.following - 1};
  }
  const bool whole = byte_at(at) < 0x80 || (end > at + 1 && lead.following == 0);
  return {end - at, whole};
}

}  // namespace kvscope
