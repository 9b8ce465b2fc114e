#include "core/text/captions/encoding_repair.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text/captions/code_pages.h"
#include "core/text/captions/misread_text.h"
#include "core/text/pattern.h"
#include "core/text/utf8.h"

namespace kvscope {
namespace {

// Patterns over bytes see them as a Latin-1 text.
Pattern byte_pattern(const char* pattern) {
  return {pattern, PatternDialect::kPython, "misread bytes"};
}

// A space where only a no-break space (byte A0) makes a character. "Ã la" is two words, but not
// before the endings of Portuguese contractions. The short forms are of letters that are common
// and are none themselves with a space for their second byte.
std::string with_no_break_spaces(const std::string& bytes) {
  static const Pattern grave_word = byte_pattern(R"(\x{C3} (?! |quele|quela|quilo|s ))");
  static const Pattern sequence = byte_pattern(
      R"([\x{C2}\x{C3}\x{C5}\x{CE}\x{D0}\x{D9}] )"
      R"(|[\x{E2}\x{E3}] [\x{80}-\x{84}\x{86}-\x{9F}\x{A1}-\x{BF}])"
      R"(|[\x{E0}-\x{E3}][\x{80}-\x{84}\x{86}-\x{9F}\x{A1}-\x{BF}] )"
      R"(|\x{F0}(?: [\x{80}-\x{BF}]{2}|[\x{80}-\x{BF}] [\x{80}-\x{BF}]|[\x{80}-\x{BF}]{2} ))");
  const std::string text = grave_word.replace(latin1_text(bytes), "\u00C3\u00A0 ");
  std::string out;
  size_t done = 0;
  for (const TextRange& match : sequence.find_all(text)) {
    const size_t space = text.find(' ', match.begin);
    out += text.substr(done, space - done) + "\u00A0";
    done = space + 1;
  }
  return *latin1_bytes(out + text.substr(done));
}

// A character of which a byte was lost (1A, or at most one "?") is U+FFFD: EF BF BD.
std::string with_lost_characters(const std::string& bytes) {
#define KVSCOPE_NEXT R"([\x1A\x{80}-\x{BF}])"
  static const Pattern lost =
      byte_pattern(R"([\x{C2}-\x{DF}]\x1A|[\x{C2}\x{C3}]\?)"
                   R"(|\x{ED}[\x{A0}-\x{AF}](?:[\x1A?]\x{ED}[\x{B0}-\x{BF}][\x1A?\x{80}-\x{BF}])"
                   R"(|[\x1A?\x{80}-\x{BF}]\x{ED}[\x{B0}-\x{BF}][\x1A?]))"
                   R"(|[\x{E0}-\x{EF}](?:[\x1A?])" KVSCOPE_NEXT "|" KVSCOPE_NEXT R"([\x1A?]))"
                   R"(|[\x{F0}-\x{F4}](?:[\x1A?])" KVSCOPE_NEXT "{2}|" KVSCOPE_NEXT
                   R"([\x1A?])" KVSCOPE_NEXT "|" KVSCOPE_NEXT R"({2}[\x1A?]))"
                   R"(|\x1A)");
#undef KVSCOPE_NEXT
  return *latin1_bytes(lost.replace(latin1_text(bytes), "\u00EF\u00BF\u00BD"));
}

// The code point of two surrogates that were encoded one by one (CESU-8), 6 bytes from `at`.
std::optional<char32_t> surrogate_pair(std::string_view bytes, size_t at) {
  if (at + 6 > bytes.size()) return std::nullopt;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  const auto bits = [&](size_t i, unsigned mask) { return char32_t{byte(i) & mask}; };
  if (byte(0) != 0xED || (byte(1) & 0xF0) != 0xA0 || (byte(2) & 0xC0) != 0x80 || byte(3) != 0xED ||
      (byte(4) & 0xF0) != 0xB0 || (byte(5) & 0xC0) != 0x80) {
    return std::nullopt;
  }
  return 0x10000 + (bits(1, 0x0F) << 16 | bits(2, 0x3F) << 10 | bits(4, 0x0F) << 6 | bits(5, 0x3F));
}

// Nothing where the bytes are no UTF-8, of whatever variant.
std::optional<std::string> decoded(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    if (step.whole) {
      text += bytes.substr(at, step.bytes);
      at += step.bytes;
    } else if (bytes.substr(at).starts_with("\xC0\x80")) {  // Java's U+0000
      text += '\0';
      at += 2;
    } else if (const auto code = surrogate_pair(bytes, at)) {
      append_utf8(text, *code);
      at += 6;
    } else {
      return std::nullopt;
    }
  }
  return text;
}

// Each run that is misread by itself, repaired by itself. A run that is all of the text is not:
// that has been tried.
std::string with_repaired_runs(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (const TextRange& run : misread_runs(text)) {
    const std::string_view part = run.of(text);
    out += text.substr(done, run.begin - done);
    out += part.size() < text.size() && is_misread(part) ? repair_encoding(part) : part;
    done = run.end;
  }
  return out.append(text.substr(done));
}

std::string one_layer_off(const std::string& text) {
  const auto is_ascii = [](char byte) { return static_cast<unsigned char>(byte) < 0x80; };
  if (std::ranges::all_of(text, is_ascii) || !is_misread(text)) return text;
  if (const auto bytes = latin1_bytes(text)) {
    if (auto repaired = decoded(with_no_break_spaces(*bytes))) return *std::move(repaired);
  }
  for (const CodePage& page : code_pages()) {
    auto bytes = page_bytes(page, text);
    if (!bytes) continue;
    if (page.loses_no_break_spaces) bytes = with_no_break_spaces(*bytes);
    if (page.loses_characters) bytes = with_lost_characters(*bytes);
    if (auto repaired = decoded(*bytes)) return *std::move(repaired);
  }
  std::string repaired = with_repaired_runs(text);
  return repaired != text ? repaired : without_c1_controls(text);
}

}  // namespace

std::string repair_encoding(std::string_view text) {
  std::string repaired(text);
  for (;;) {
    std::string next = one_layer_off(repaired);
    if (next == repaired) return repaired;
    repaired = std::move(next);
  }
}

std::string without_c1_controls(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const char32_t code = next_character(text, at);
    append_utf8(
        out, code >= 0x80 && code <= 0x9F ? windows_1252(static_cast<unsigned char>(code)) : code);
  }
  return out;
}

}  // namespace kvscope
