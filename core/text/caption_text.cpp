#include "core/text/caption_text.h"

#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "core/text/html.h"
#include "core/text/pattern.h"

namespace kvscope {
namespace {

constexpr const char* kReplacement = "\uFFFD";

Pattern python(const std::string& pattern) {
  return {pattern, PatternDialect::kPython, "caption"};
}

std::string replaced(std::string_view text, const char* pattern, const char* replacement) {
  return python(pattern).replace(text, replacement);
}

std::optional<char> hexadecimal_byte(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int byte = 0;
  for (const char letter : text.substr(0, 2)) {
    if (std::isxdigit(static_cast<unsigned char>(letter)) == 0) return std::nullopt;
    byte = byte * 16 + (letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10);
  }
  return static_cast<char>(byte);
}

// Range that the second byte of a character must lie in, and how many bytes follow the first.
struct Lead {
  int following = 0;
  unsigned lowest = 0x80;
  unsigned highest = 0xBF;
};

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

std::string with_replacements(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const auto byte_at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    Lead lead = lead_of(byte_at(at));
    size_t end = at + 1;
    while (lead.following > 0 && end < bytes.size() && byte_at(end) >= lead.lowest &&
           byte_at(end) <= lead.highest) {
      ++end;
      lead = {lead.following - 1};
    }
    const bool whole = byte_at(at) < 0x80 || (end > at + 1 && lead.following == 0);
    text += whole ? bytes.substr(at, end - at) : kReplacement;
    at = end;
  }
  return text;
}

// ftfy reads only references that end with ";", of names that HTML knows.
std::string unescape_finished(const std::string& text) {
  static constexpr const char* kReference = "&#?[0-9A-Za-z]{1,24};";
  std::string out;
  size_t done = 0;
  for (const TextRange& match : python(kReference).find_all(text)) {
    const std::string whole(match.of(text));
    const std::string read = html_unescape(whole);
    const bool known = read.find(';') == read.npos;
    out += text.substr(done, match.begin - done) + (known ? read : whole);
    done = match.end;
  }
  return out + text.substr(done);
}

// U+0080 to U+009F, two bytes each in UTF-8, as Windows-1252 reads them.
std::string without_c1_controls(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool control =
        text[i] == '\xC2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0x9F;
    out += control ? html_numeric_entity(static_cast<unsigned char>(text[++i]))
                   : std::string(1, text[i]);
  }
  return out;
}

std::string without_ligatures(std::string text) {
  static constexpr std::array<std::pair<const char*, const char*>, 19> kLigatures = {{
      {"\u0132", "IJ"},      {"\u0133", "ij"}, {"\u0149", "\u02BCn"}, {"\u01F1", "DZ"},
      {"\u01F2", "Dz"},      {"\u01F3", "dz"}, {"\u01C4", "D\u017D"}, {"\u01C5", "D\u017E"},
      {"\u01C6", "d\u017E"}, {"\u01C7", "LJ"}, {"\u01C8", "Lj"},      {"\u01C9", "lj"},
      {"\u01CA", "NJ"},      {"\u01CB", "Nj"}, {"\u01CC", "nj"},      {"\uFB00", "ff"},
      {"\uFB01", "fi"},      {"\uFB02", "fl"}, {"\uFB03", "ffi"},
  }};
  for (const auto& [ligature, letters] : kLigatures) text = replaced(text, ligature, letters);
  text = replaced(text, "\uFB04", "ffl");
  text = replaced(text, "\uFB05", "\u017Ft");
  return replaced(text, "\uFB06", "st");
}

// FF01 to FF5E are the printable ASCII characters again, wider.
std::string without_full_width(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte_at = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
    const bool wide = byte_at(i) == 0xEF && i + 2 < text.size() &&
                      (byte_at(i + 1) == 0xBC || byte_at(i + 1) == 0xBD);
    const unsigned code =
        wide ? 0xF000U | ((byte_at(i + 1) & 0x3FU) << 6) | (byte_at(i + 2) & 0x3FU) : 0;
    if (code >= 0xFF01 && code <= 0xFF5E) {
      out += static_cast<char>(code - 0xFF01 + '!');
      i += 2;
    } else {
      out += text[i];
    }
  }
  return replaced(out, "\u3000", " ");
}

std::string fixed_once(const std::string& text) {
  std::string fixed = text.find('<') == text.npos ? unescape_finished(text) : text;
  fixed = replaced(fixed, R"(\x1B\[(?:\d|;)*[a-zA-Z])", "");
  fixed = without_c1_controls(fixed);
  fixed = without_ligatures(std::move(fixed));
  fixed = without_full_width(fixed);
  fixed = replaced(fixed, "[\u2018-\u201B]", "'");
  fixed = replaced(fixed, "[\u201C-\u201F]", "\"");
  fixed = replaced(fixed, "\r\n?|[\u2028\u2029\u0085]", "\n");
  return replaced(fixed,
                  R"([\x00-\x08\x0B\x0E-\x1F\x7F\x{206A}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFC}])", "");
}

}  // namespace

std::string url_unquote_plus(std::string_view text) {
  std::string out;
  std::string escaped;  // bytes of escapes, and the ASCII between them
  const auto flush = [&] {
    out += with_replacements(escaped);
    escaped.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const auto letter = static_cast<unsigned char>(text[i]);
    if (letter >= 0x80) {
      flush();
      out += text[i];
    } else if (const auto byte =
                   letter == '%' ? hexadecimal_byte(text.substr(i + 1)) : std::nullopt) {
      escaped += *byte;
      i += 2;
    } else {
      escaped += letter == '+' ? ' ' : text[i];
    }
  }
  flush();
  return out;
}

std::string lower_case(std::string_view text) {
  // PCRE2 lowers letters one by one; these need more than their letter.
  std::string lowered = replaced(text, "\u0130", "i\u0307");
  lowered = replaced(lowered, "(?<=\\p{L}|\\p{L}\\p{Mn})\u03A3(?!\\p{Mn}*+\\p{L})", "\u03C2");
  lowered = replaced(lowered, "(?s:.)++", "\\L${0}");
  // Letters by their looks only, which are numbers and symbols to Unicode: 2160-216F, 24B6-24CF.
  std::string out;
  for (size_t i = 0; i < lowered.size(); ++i) {
    const auto byte_at = [&](size_t k) { return static_cast<unsigned char>(lowered[k]); };
    unsigned code = 0;
    if (byte_at(i) == 0xE2 && i + 2 < lowered.size()) {
      code = 0x2000U | ((byte_at(i + 1) & 0x3FU) << 6) | (byte_at(i + 2) & 0x3FU);
    }
    const unsigned lower = code >= 0x2160 && code <= 0x216F   ? code + 16
                           : code >= 0x24B6 && code <= 0x24CF ? code + 26
                                                              : 0;
    out += lower == 0 ? std::string(1, lowered[i]) : html_numeric_entity(lower);
    if (lower != 0) i += 2;
  }
  return out;
}

std::string strip(std::string_view text) {
  return replaced(replaced(text, R"(\A\s+)", ""), R"(\s+\z)", "");
}

std::string fix_text(std::string_view text) {
  std::string fixed(text);
  for (;;) {
    std::string next = fixed_once(fixed);
    if (next == fixed) return fixed;
    fixed = std::move(next);
  }
}

}  // namespace kvscope
