#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// What the lexers of overrides and of interpolations cut a text into.
enum class TokenKind {
  kEnd,
  // Keys of overrides.
  kTilde,
  kPlus,
  kAt,
  kSlash,
  kKeySpecial,  // $a
  kDotPath,     // a.b, a.0
  // Punctuation, with the blanks around it where the grammar takes them in.
  kEqual,
  kColon,
  kComma,
  kOpen,
  kClose,
  kBracketOpen,
  kBracketClose,
  kBraceOpen,
  kBraceClose,
  // Unquoted text.
  kFloat,
  kInt,
  kBool,
  kNull,
  kCharacter,  // / - \ + . $ % * @ ? |
  kId,
  kEscape,  // \, \( ... several in a row
  kBlank,
  kQuoted,         // a whole quoted string
  kInterpolation,  // ${...} of an override, a whole
  // Interpolations in config values.
  kInterpolationOpen,
  kInterpolationClose,
  kDot,
  kInterpolationKey,
  kQuoteOpen,
  kQuoteClose,
  kText,
  kEscapedInterpolation,  // \${
  kBackslashes            // an even number
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  size_t position = 0;  // in the text that was cut
};

/// Whether such a token may be a part of unquoted text; keys take neither colons nor
/// interpolations, which either lexer cuts in its own way.
bool is_unquoted(TokenKind kind, bool is_key);

/// The longest of several tokens that could stand at one place; of equally long ones the first.
class LongestToken {
 public:
  LongestToken(std::string_view text, size_t position) : text_(text), position_(position) {}

  void offer(TokenKind kind, size_t length) {
    if (length > token_.text.size()) token_ = {kind, text_.substr(position_, length), position_};
  }
  /// Numbers, words, blanks, escapes and single characters of unquoted text.
  void offer_unquoted();

  [[nodiscard]] const Token& token() const { return token_; }

 private:
  std::string_view text_;
  size_t position_;
  Token token_;
};

/// Blanks and tabs from `position` on.
size_t blanks_at(std::string_view text, size_t position);
/// Length of an unsigned integer (0, 12, 1_000) at `position`; 0 if there is none.
size_t digits_at(std::string_view text, size_t position);
/// Letters, digits, _ and -, the first a letter or _; with `dollar` also $.
size_t word_at(std::string_view text, size_t position, bool dollar);

/// The value of a token that stands alone in unquoted text: a typed scalar, or its text.
ConfigNode token_value(const Token& token);

/// `\,` and `\\` as what they stand for.
std::string unescaped(const Token& token);

}  // namespace kvscope
