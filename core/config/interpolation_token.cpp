#include "core/config/interpolation_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/base/error.h"

namespace kvscope {
namespace {

/// What the text around the next token is.
enum class Mode { kText, kElement, kReference, kSingleQuoted, kDoubleQuoted };

class Lexer {
 public:
  Lexer(std::string_view text, bool is_element) : text_(text) {
    modes_.push_back(is_element ? Mode::kElement : Mode::kText);
  }

  std::vector<Token> run() {
    while (position_ < text_.size()) {
      const Token token = next();
      if (token.text.empty()) {
        throw Error(ErrorKind::kConfig, fmt::format("'{}': unexpected '{}' at character {}", text_,
                                                    text_.substr(position_, 1), position_ + 1));
      }
      tokens_.push_back(token);
      position_ += token.text.size();
      change_mode(token);
    }
    tokens_.push_back({TokenKind::kEnd, {}, text_.size()});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char at(size_t position) const {
    return position < text_.size() ? text_[position] : '\0';
  }

  [[nodiscard]] Token next() const {
    switch (modes_.back()) {
      case Mode::kElement:
        return element_token();
      case Mode::kReference:
        return reference_token();
      case Mode::kText:
        return text_token('\0');
      case Mode::kSingleQuoted:
        return text_token('\'');
      case Mode::kDoubleQuoted:
        break;
    }
    return text_token('"');
  }

  [[nodiscard]] size_t opening() const {
    return text_.substr(position_, 2) == "${" ? 2 + blanks_at(text_, position_ + 2) : 0;
  }

  /// Text up to the end or a closing quote, in which backslashes count only before `${` and the
  /// quote.
  [[nodiscard]] Token text_token(char quote) const {
    LongestToken longest(text_, position_);
    longest.offer(TokenKind::kInterpolationOpen, opening());
    if (quote != '\0' && at(position_) == quote) longest.offer(TokenKind::kQuoteClose, 1);
    size_t end = position_;
    while (end < text_.size() && text_[end] != '$' && (quote == '\0' || text_[end] != quote)) ++end;
    while (end > position_ && text_[end - 1] == '\\') --end;
    longest.offer(TokenKind::kText, end - position_);
    size_t slashes = 0;
    while (at(position_ + slashes) == '\\') ++slashes;
    if (slashes % 2 == 1) {
      const size_t behind = position_ + slashes;
      if (text_.substr(behind, 2) == "${") {
        longest.offer(TokenKind::kEscapedInterpolation, slashes + 2);
      }
      if (quote != '\0' && at(behind) == quote) longest.offer(TokenKind::kEscape, slashes + 1);
    }
    longest.offer(TokenKind::kBackslashes, slashes / 2 * 2);
    longest.offer(TokenKind::kText, slashes);
    if (at(position_) == '$') longest.offer(TokenKind::kText, 1);
    return longest.token();
  }

  [[nodiscard]] Token element_token() const {
    LongestToken longest(text_, position_);
    longest.offer(TokenKind::kInterpolationOpen, opening());
    const size_t before = blanks_at(text_, position_);
    const size_t mark = position_ + before;
    const size_t after = blanks_at(text_, std::min(mark + 1, text_.size()));
    switch (at(mark)) {
      case '{':
        if (before == 0) longest.offer(TokenKind::kBraceOpen, 1 + after);
        break;
      case '}':
        longest.offer(TokenKind::kBraceClose, before + 1);
        break;
      case '\'':
      case '"':
        if (before == 0) longest.offer(TokenKind::kQuoteOpen, 1);
        break;
      case ',':
        longest.offer(TokenKind::kComma, before + 1 + after);
        break;
      case '[':
        if (before == 0) longest.offer(TokenKind::kBracketOpen, 1 + after);
        break;
      case ']':
        longest.offer(TokenKind::kBracketClose, before + 1);
        break;
      case ':':
        longest.offer(TokenKind::kColon, before + 1 + after);
        break;
      default:
        break;
    }
    longest.offer_unquoted();
    return longest.token();
  }

  [[nodiscard]] Token reference_token() const {
    LongestToken longest(text_, position_);
    longest.offer(TokenKind::kInterpolationOpen, opening());
    const size_t before = blanks_at(text_, position_);
    const size_t mark = position_ + before;
    if (at(mark) == ':') {
      longest.offer(TokenKind::kColon, before + 1 + blanks_at(text_, mark + 1));
    }
    if (at(mark) == '}') longest.offer(TokenKind::kInterpolationClose, before + 1);
    switch (at(position_)) {
      case '.':
        longest.offer(TokenKind::kDot, 1);
        break;
      case '[':
        longest.offer(TokenKind::kBracketOpen, 1);
        break;
      case ']':
        longest.offer(TokenKind::kBracketClose, 1);
        break;
      default:
        break;
    }
    longest.offer(TokenKind::kId, word_at(text_, position_, false));
    const size_t end = std::min(text_.find_first_of("\\{}()[]:. \t'\"", position_), text_.size());
    longest.offer(TokenKind::kInterpolationKey, end - position_);
    return longest.token();
  }

  void change_mode(const Token& token) {
    switch (token.kind) {
      case TokenKind::kInterpolationOpen:
        modes_.push_back(Mode::kReference);
        break;
      case TokenKind::kColon:
        if (modes_.back() == Mode::kReference) modes_.back() = Mode::kElement;
        break;
      case TokenKind::kBraceOpen:
        modes_.push_back(Mode::kElement);
        break;
      case TokenKind::kQuoteOpen:
        modes_.push_back(token.text == "'" ? Mode::kSingleQuoted : Mode::kDoubleQuoted);
        break;
      case TokenKind::kBraceClose:
      case TokenKind::kInterpolationClose:
      case TokenKind::kQuoteClose:
        modes_.pop_back();
        if (modes_.empty()) {
          throw Error(ErrorKind::kConfig, fmt::format("'{}': a '}}' without its '{{'", text_));
        }
        break;
      default:
        break;
    }
  }

  std::string_view text_;
  size_t position_ = 0;
  std::vector<Mode> modes_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> interpolation_tokens(std::string_view text, bool is_element) {
  return Lexer(text, is_element).run();
}

}  // namespace kvscope
