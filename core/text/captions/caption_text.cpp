#include "core/text/captions/caption_text.h"

#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "core/text/captions/encoding_repair.h"
#include "core/text/captions/html.h"
#include "core/text/pattern.h"
#include "core/text/unicode_form.h"
#include "core/text/utf8.h"

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

std::string with_replacements(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    text += step.whole ? bytes.substr(at, step.bytes) : kReplacement;
    at += step.bytes;
  }
  return text;
}

// What a name stands for that HTML knows in lower case only; in capitals, then.
std::optional<std::string> capital_entity(const std::string& name) {
  const std::string lower = python("[A-Z]+").replace(name, "\\L${0}");
  const auto text = html_entity(lower);
  const std::string reference = "&" + name;
  const bool in_capitals = python("[a-z]").find(name) == std::nullopt;
  if (!text || !in_capitals || html_unescape(reference) != reference) return std::nullopt;
  if (*text == "\u00DF") return "SS";
  return python("(?s:.)++").replace(*text, "\\U${0}");
}

// ftfy reads only references that end with ";", of names that HTML knows.
std::string unescape_finished(const std::string& text) {
  static constexpr const char* kReference = "&#?[0-9A-Za-z]{1,24};";
  std::string out;
  size_t done = 0;
  for (const TextRange& match : python(kReference).find_all(text)) {
    const std::string whole(match.of(text));
    const std::string name = whole.substr(1);
    out += text.substr(done, match.begin - done);
    done = match.end;
    if (name.starts_with('#')) {
      const std::string read = html_unescape(whole);
      out += read.find(';') == read.npos ? read : whole;
    } else if (const auto known = html_entity(name)) {
      out += *known;
    } else {
      out += capital_entity(name).value_or(whole);
    }
  }
  return out + text.substr(done);
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

// FF01 to FFEF are other characters again, of another width, and 3000 is a wide space.
std::string of_common_width(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t code = next_character(text, at);
    if (code >= 0xFF01 && code <= 0xFFEF) {
      out += compatible_text(text.substr(begin, at - begin));
    } else {
      append_utf8(out, code == 0x3000 ? U' ' : code);
    }
  }
  return out;
}

std::string fixed_once(const std::string& text, bool with_references) {
  std::string fixed = with_references ? unescape_finished(text) : text;
  fixed = without_c1_controls(repair_encoding(fixed));
  fixed = without_ligatures(std::move(fixed));
  fixed = of_common_width(fixed);
  fixed = replaced(fixed, "[\u02BC\u2018-\u201B]", "'");
  fixed = replaced(fixed, "[\u201C-\u201F]", "\"");
  fixed = replaced(fixed, "\r\n?|[\u2028\u2029\u0085]", "\n");
  fixed = replaced(fixed, R"(\x1B\[(?:\d|;)*[a-zA-Z])", "");
  fixed = replaced(fixed,
                   R"([\x00-\x08\x0B\x0E-\x1F\x7F\x{206A}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFC}])", "");
  return composed_text(fixed);
}

std::string fixed_line(std::string_view line, bool with_references) {
  std::string fixed(line);
  for (;;) {
    std::string next = fixed_once(fixed, with_references);
    if (next == fixed) return fixed;
    fixed = std::move(next);
  }
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
  // Letters by their looks only, which are numbers and symbols to Unicode.
  std::string out;
  for (size_t at = 0; at < lowered.size();) {
    char32_t code = next_character(lowered, at);
    if (code >= 0x2160 && code <= 0x216F) code += 16;
    if (code >= 0x24B6 && code <= 0x24CF) code += 26;
    append_utf8(out, code);
  }
  return out;
}

std::string strip(std::string_view text) {
  return replaced(replaced(text, R"(\A\s+)", ""), R"(\s+\z)", "");
}

std::string fix_text(std::string_view text) {
  std::string fixed;
  bool is_html = false;  // also of all lines behind the first with a "<"
  while (!text.empty()) {
    const size_t line_break = text.find('\n');
    const std::string_view line = line_break == text.npos ? text : text.substr(0, line_break + 1);
    is_html = is_html || line.find('<') != line.npos;
    fixed += fixed_line(line, !is_html);
    text.remove_prefix(line.size());
  }
  return fixed;
}

}  // namespace kvscope
