#include "core/config/grammar_token.h"

#include <algorithm>
#include <string>

#include "core/config/number_text.h"

namespace kvscope {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char at(std::string_view text, size_t position) {
  return position < text.size() ? text[position] : '\0';
}

/// DIGIT (_? DIGIT)*
size_t any_digits_at(std::string_view text, size_t position) {
  size_t end = position;
  if (!is_digit(at(text, end))) return 0;
  ++end;
  while (true) {
    const size_t next = at(text, end) == '_' ? end + 1 : end;
    if (!is_digit(at(text, next))) return end - position;
    end = next + 1;
  }
}

bool equal_in_any_case(std::string_view text, std::string_view small) {
  return std::ranges::equal(text, small, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

bool word_in_any_case(std::string_view text, size_t position, std::string_view small) {
  return equal_in_any_case(text.substr(std::min(position, text.size()), small.size()), small);
}

/// 1. .5 1.5 1e3 1.e-3 inf nan, behind a sign or not.
size_t float_at(std::string_view text, size_t position) {
  size_t begin = position;
  if (at(text, begin) == '+' || at(text, begin) == '-') ++begin;
  if (word_in_any_case(text, begin, "inf") || word_in_any_case(text, begin, "nan")) {
    return begin + 3 - position;
  }
  size_t end = begin + digits_at(text, begin);
  bool is_float = false;
  if (at(text, end) == '.') {
    const size_t fraction = any_digits_at(text, end + 1);
    if (end > begin || fraction > 0) {
      end += 1 + fraction;
      is_float = true;
    }
  }
  if (end > begin && (at(text, end) == 'e' || at(text, end) == 'E')) {
    size_t exponent = end + 1;
    if (at(text, exponent) == '+' || at(text, exponent) == '-') ++exponent;
    if (const size_t length = any_digits_at(text, exponent); length > 0) {
      return exponent + length - position;
    }
  }
  return is_float ? end - position : 0;
}

size_t int_at(std::string_view text, size_t position) {
  const size_t sign = at(text, position) == '+' || at(text, position) == '-' ? 1 : 0;
  const size_t length = digits_at(text, position + sign);
  return length == 0 ? 0 : sign + length;
}

/// Pairs of a backslash and what may be escaped.
size_t escapes_at(std::string_view text, size_t position) {
  static constexpr std::string_view kEscapable = "\\()[]{}:=, \t";
  size_t end = position;
  while (at(text, end) == '\\' && end + 1 < text.size() &&
         kEscapable.find(text[end + 1]) != std::string_view::npos) {
    end += 2;
  }
  return end - position;
}

}  // namespace

bool is_unquoted(TokenKind kind, bool is_key) {
  switch (kind) {
    case TokenKind::kId:
    case TokenKind::kNull:
    case TokenKind::kInt:
    case TokenKind::kFloat:
    case TokenKind::kBool:
    case TokenKind::kCharacter:
    case TokenKind::kEscape:
    case TokenKind::kBlank:
      return true;
    case TokenKind::kColon:
    case TokenKind::kInterpolation:
    case TokenKind::kInterpolationOpen:
      return !is_key;
    default:
      return false;
  }
}

size_t blanks_at(std::string_view text, size_t position) {
  const size_t end = std::min(text.find_first_not_of(" \t", position), text.size());
  return end - std::min(position, end);
}

size_t digits_at(std::string_view text, size_t position) {
  return at(text, position) == '0' ? 1 : any_digits_at(text, position);
}

size_t word_at(std::string_view text, size_t position, bool dollar) {
  const auto starts = [&](char c) { return is_letter(c) || (dollar && c == '$'); };
  if (!starts(at(text, position))) return 0;
  size_t end = position + 1;
  while (starts(at(text, end)) || is_digit(at(text, end)) || at(text, end) == '-') ++end;
  return end - position;
}

void LongestToken::offer_unquoted() {
  offer(TokenKind::kFloat, float_at(text_, position_));
  offer(TokenKind::kInt, int_at(text_, position_));
  if (word_in_any_case(text_, position_, "true")) offer(TokenKind::kBool, 4);
  if (word_in_any_case(text_, position_, "false")) offer(TokenKind::kBool, 5);
  if (word_in_any_case(text_, position_, "null")) offer(TokenKind::kNull, 4);
  static constexpr std::string_view kCharacters = "/-\\+.$%*@?|";
  if (kCharacters.find(text_[position_]) != std::string_view::npos) {
    offer(TokenKind::kCharacter, 1);
  }
  offer(TokenKind::kId, word_at(text_, position_, false));
  offer(TokenKind::kEscape, escapes_at(text_, position_));
  offer(TokenKind::kBlank, blanks_at(text_, position_));
}

ConfigNode token_value(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNull:
      return {};
    case TokenKind::kBool:
      return token.text.size() == 4;
    case TokenKind::kInt:
      return *integer_of_text(token.text);
    case TokenKind::kFloat:
      return *float_of_text(token.text);
    case TokenKind::kEscape:
      return unescaped(token);
    default:
      return std::string(token.text);
  }
}

std::string unescaped(const Token& token) {
  std::string out;
  for (size_t i = 1; i < token.text.size(); i += 2) out += token.text[i];
  return out;
}

}  // namespace kvscope
