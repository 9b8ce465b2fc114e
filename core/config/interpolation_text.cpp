#include "core/config/interpolation_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/config_key.h"
#include "core/config/interpolation_token.h"

namespace kvscope {
namespace {

constexpr int kDeepest = 150;

bool is_text(TokenKind kind) {
  return kind == TokenKind::kText || kind == TokenKind::kEscape ||
         kind == TokenKind::kEscapedInterpolation || kind == TokenKind::kBackslashes ||
         kind == TokenKind::kInterpolationOpen;
}

bool is_interpolation(const Expression& expression) {
  return expression.kind == ExpressionKind::kReference ||
         expression.kind == ExpressionKind::kResolver;
}

Expression scalar(ConfigNode node) {
  return {.kind = ExpressionKind::kScalar, .scalar = std::move(node)};
}

class Parser {
 public:
  Parser(std::string_view text, bool is_element)
      : text_(text), tokens_(interpolation_tokens(text, is_element)) {}

  Expression value() {
    Expression text = text_parts();
    expect_end();
    if (text.parts.size() == 1 && is_interpolation(text.parts[0])) return std::move(text.parts[0]);
    return text;
  }

  Expression single_element() {
    Expression expression = element();
    expect_end();
    return expression;
  }

 private:
  [[nodiscard]] const Token& peek() const { return tokens_[next_]; }
  [[nodiscard]] bool take(TokenKind kind) {
    if (peek().kind != kind) return false;
    ++next_;
    return true;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kConfig,
                fmt::format("'{}': {} at character {}", text_, what, peek().position + 1));
  }
  [[noreturn]] void fail_here() const {
    if (peek().kind == TokenKind::kEnd) fail("a '${' without its '}'");
    fail(fmt::format("unexpected '{}'", peek().text));
  }
  void expect(TokenKind kind) {
    if (!take(kind)) fail_here();
  }
  void expect_end() const {
    if (peek().kind != TokenKind::kEnd) fail_here();
  }

  /// Literal text and interpolations, at least one.
  Expression text_parts() {
    Expression text{.kind = ExpressionKind::kText};
    const auto literal = [&](std::string_view piece) {
      if (text.parts.empty() || is_interpolation(text.parts.back())) {
        text.parts.push_back(scalar(""));
      }
      text.parts.back().scalar = text.parts.back().scalar.as_string() + std::string(piece);
    };
    if (!is_text(peek().kind)) fail_here();
    while (is_text(peek().kind)) {
      const Token& token = peek();
      if (token.kind == TokenKind::kInterpolationOpen) {
        text.parts.push_back(interpolation());
        continue;
      }
      ++next_;
      const bool ends =
          peek().kind == TokenKind::kInterpolationOpen || peek().kind == TokenKind::kQuoteClose;
      if (token.kind == TokenKind::kEscapedInterpolation) {
        literal(token.text.substr(token.text.size() - (token.text.size() / 2 + 1)));
      } else if (token.kind == TokenKind::kEscape ||
                 (token.kind == TokenKind::kBackslashes && ends)) {
        literal(unescaped(token));
      } else {
        literal(token.text);
      }
    }
    return text;
  }

  Expression interpolation() {
    if (++depth_ > kDeepest) fail("interpolations nested too deep");
    expect(TokenKind::kInterpolationOpen);
    Expression result{.kind = ExpressionKind::kReference};
    bool may_name_resolver = true;  // only names and dots so far
    bool expect_key = true;
    const auto take_key = [&] {
      if (peek().kind == TokenKind::kInterpolationOpen) {
        result.parts.push_back(interpolation());
        return;
      }
      may_name_resolver = may_name_resolver && peek().kind == TokenKind::kId;
      if (peek().kind != TokenKind::kId && peek().kind != TokenKind::kInterpolationKey) fail_here();
      result.parts.push_back(scalar(std::string(peek().text)));
      ++next_;
    };
    while (take(TokenKind::kDot)) {
      may_name_resolver = false;
      result.parts.push_back(scalar("."));
    }
    while (peek().kind != TokenKind::kInterpolationClose && peek().kind != TokenKind::kColon) {
      if (take(TokenKind::kBracketOpen)) {
        may_name_resolver = false;
        result.parts.push_back(scalar("["));
        take_key();
        expect(TokenKind::kBracketClose);
        result.parts.push_back(scalar("]"));
      } else {
        if (!expect_key) {
          expect(TokenKind::kDot);
          result.parts.push_back(scalar("."));
        }
        take_key();
      }
      expect_key = false;
    }
    if (expect_key) fail("a key is missing");
    if (peek().kind == TokenKind::kColon) {
      if (!may_name_resolver) fail_here();
      ++next_;
      result = resolver(std::move(result.parts));
    } else {
      expect(TokenKind::kInterpolationClose);
    }
    --depth_;
    return result;
  }

  Expression resolver(std::vector<Expression> name) {
    Expression result{.kind = ExpressionKind::kResolver};
    for (size_t i = 0; i < name.size(); i += 2) result.name.push_back(std::move(name[i]));
    if (!take(TokenKind::kBraceClose)) {
      result.parts = sequence();
      expect(TokenKind::kBraceClose);
    }
    return result;
  }

  /// Elements between commas; nothing between two of them is an empty text.
  std::vector<Expression> sequence() {
    std::vector<Expression> items;
    const auto starts_element = [&] {
      switch (peek().kind) {
        case TokenKind::kQuoteOpen:
        case TokenKind::kBracketOpen:
        case TokenKind::kBraceOpen:
          return true;
        default:
          return is_unquoted(peek().kind, false);
      }
    };
    if (!starts_element() && peek().kind != TokenKind::kComma) fail_here();
    do {
      items.push_back(starts_element() ? element() : scalar(""));
    } while (take(TokenKind::kComma));
    return items;
  }

  Expression element() {
    if (++depth_ > kDeepest) fail("nested too deep");
    Expression result;
    if (take(TokenKind::kQuoteOpen)) {
      result.kind = ExpressionKind::kText;
      if (peek().kind != TokenKind::kQuoteClose) result = text_parts();
      expect(TokenKind::kQuoteClose);
    } else if (take(TokenKind::kBracketOpen)) {
      result.kind = ExpressionKind::kList;
      if (!take(TokenKind::kBracketClose)) {
        result.parts = sequence();
        expect(TokenKind::kBracketClose);
      }
    } else if (take(TokenKind::kBraceOpen)) {
      result = map();
    } else {
      result = unquoted(false);
    }
    --depth_;
    return result;
  }

  Expression map() {
    Expression result{.kind = ExpressionKind::kMap};
    while (!take(TokenKind::kBraceClose)) {
      if (!result.keys.empty()) expect(TokenKind::kComma);
      ConfigNode key = unquoted(true).scalar;
      expect(TokenKind::kColon);
      Expression value = element();
      const auto known = std::ranges::find_if(
          result.keys, [&](const ConfigNode& other) { return same_key(other, key); });
      if (known == result.keys.end()) {
        result.keys.push_back(std::move(key));
        result.parts.push_back(std::move(value));
      } else {
        result.parts[static_cast<size_t>(known - result.keys.begin())] = std::move(value);
      }
    }
    return result;
  }

  /// Words, numbers, blanks and interpolations in a row: typed if it is only one, else text.
  Expression unquoted(bool is_key) {
    std::vector<Expression> parts;
    std::vector<Token> literals;
    while (is_unquoted(peek().kind, is_key)) {
      if (peek().kind == TokenKind::kInterpolationOpen) {
        parts.push_back(interpolation());
        continue;
      }
      literals.push_back(peek());
      parts.push_back(
          scalar(peek().kind == TokenKind::kEscape ? unescaped(peek()) : std::string(peek().text)));
      ++next_;
    }
    if (parts.empty()) fail_here();
    if (parts.size() > 1) {
      if (!is_key) return {.kind = ExpressionKind::kText, .parts = std::move(parts)};
      std::string key;
      for (const Expression& part : parts) key += part.scalar.as_string();
      return scalar(std::move(key));
    }
    if (is_interpolation(parts[0])) return std::move(parts[0]);
    if (literals[0].kind == TokenKind::kBlank) fail("only blanks");
    return scalar(token_value(literals[0]));
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Expression parse_interpolations(std::string_view text) {
  return Parser(text, false).value();
}

Expression parse_element(std::string_view text) {
  return Parser(text, true).single_element();
}

std::vector<std::string> split_key(std::string_view path) {
  std::vector<std::string> keys;
  size_t next = 0;
  const auto take = [&](size_t begin, size_t end) {
    keys.emplace_back(path.substr(begin, end - begin));
    next = end;
  };
  while (next < path.size() && path[next] == '.') {
    keys.emplace_back();
    ++next;
  }
  const size_t first = std::min(path.find_first_of(".[", next), path.size());
  if (first > next || first == path.size() || path[first] != '[') take(next, first);
  while (next < path.size()) {
    if (path[next] == '.') {
      take(next + 1, std::min(path.find_first_of(".[", next + 1), path.size()));
      continue;
    }
    const size_t close = path[next] == '[' ? path.find(']', next) : path.npos;
    if (close == path.npos) break;
    take(next + 1, close);
    ++next;
  }
  return keys;
}

}  // namespace kvscope
