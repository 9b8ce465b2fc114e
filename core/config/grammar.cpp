#include "core/config/grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/config_key.h"
#include "core/config/format.h"
#include "core/config/grammar_function.h"
#include "core/config/grammar_token.h"

namespace kvscope {
namespace {

constexpr size_t kDeepest = 64;

[[noreturn]] void fail_at(std::string_view text, size_t position, const std::string& what) {
  throw Error(ErrorKind::kConfig,
              fmt::format("{} at character {} of the value '{}'", what, position + 1, text));
}

/// The length of the quoted string at `position`; 0 without its closing quote. Backslashes count
/// only right before a quote of the same kind: behind an even number of them the quote ends it.
size_t quoted_at(std::string_view text, size_t position) {
  size_t slashes = 0;
  for (size_t i = position + 1; i < text.size(); ++i) {
    if (text[i] == text[position] && slashes % 2 == 0) return i + 1 - position;
    slashes = text[i] == '\\' ? slashes + 1 : 0;
  }
  return 0;
}

size_t interpolation_at(std::string_view text, size_t position) {
  const size_t close = text.find('}', position);
  const bool empty = close == position + 2;
  return text.substr(position, 2) != "${" || close == text.npos || empty ? 0 : close + 1 - position;
}

[[noreturn]] void fail_character(std::string_view text, size_t position) {
  const auto byte = static_cast<unsigned char>(text[position]);
  if (byte == '\'' || byte == '"') fail_at(text, position, "a string without its closing quote");
  fail_at(text, position,
          fmt::format("'{}' in unquoted text",
                      byte < 0x80 ? std::string(1, text[position]) : "a non-ASCII letter"));
}

Token next_token(std::string_view text, size_t position) {
  LongestToken longest(text, position);
  const size_t before = blanks_at(text, position);
  const size_t mark = position + before;
  if (mark < text.size()) {
    const size_t after = blanks_at(text, mark + 1);
    switch (text[mark]) {
      case '(':
        longest.offer(TokenKind::kOpen, before + 1 + after);
        break;
      case ',':
        longest.offer(TokenKind::kComma, before + 1 + after);
        break;
      case ')':
        longest.offer(TokenKind::kClose, before + 1);
        break;
      case '[':
        if (before == 0) longest.offer(TokenKind::kBracketOpen, 1 + after);
        break;
      case ']':
        longest.offer(TokenKind::kBracketClose, before + 1);
        break;
      case '{':
        if (before == 0) longest.offer(TokenKind::kBraceOpen, 1 + after);
        break;
      case '}':
        longest.offer(TokenKind::kBraceClose, before + 1);
        break;
      case ':':
        longest.offer(TokenKind::kColon, before + 1 + after);
        break;
      case '=':
        longest.offer(TokenKind::kEqual, before + 1 + after);
        break;
      default:
        break;
    }
  }
  longest.offer_unquoted();
  if (text[position] == '\'' || text[position] == '"') {
    longest.offer(TokenKind::kQuoted, quoted_at(text, position));
  }
  longest.offer(TokenKind::kInterpolation, interpolation_at(text, position));
  if (longest.token().text.empty()) fail_character(text, position);
  return longest.token();
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t position = 0; position < text.size();) {
    tokens.push_back(next_token(text, position));
    position += tokens.back().text.size();
  }
  tokens.push_back({TokenKind::kEnd, {}, text.size()});
  return tokens;
}

/// The text inside the quotes.
std::string unquoted(std::string_view text) {
  const char quote = text.front();
  std::string out;
  size_t slashes = 0;
  for (const char c : text.substr(1)) {
    if (c == '\\') {
      ++slashes;
      continue;
    }
    out.append(c == quote ? slashes / 2 : slashes, '\\');
    slashes = 0;
    out += c;
  }
  out.pop_back();
  return out;
}

GrammarValue scalar_value(ConfigNode node) {
  GrammarValue value;
  value.kind = node.kind();
  value.scalar = std::move(node);
  return value;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  GrammarResult parse_all() {
    if (peek().kind == TokenKind::kEnd) return {scalar_value(""), {}};  // key= is the empty string
    GrammarResult first = parse_element(0);
    if (peek().kind == TokenKind::kComma) {
      GrammarSweep sweep;
      sweep.values.push_back(as_value(std::move(first)));
      while (peek().kind == TokenKind::kComma) {
        ++next_;
        sweep.values.push_back(as_value(parse_element(0)));
      }
      first = {{}, std::move(sweep)};
    }
    if (peek().kind != TokenKind::kEnd) fail_unexpected();
    return first;
  }

 private:
  [[nodiscard]] const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  [[noreturn]] void fail(const std::string& what) const { fail_at(text_, peek().position, what); }
  [[noreturn]] void fail_unexpected() const {
    fail(peek().kind == TokenKind::kBlank ? "unexpected blank"
                                          : fmt::format("unexpected '{}'", peek().text));
  }
  void expect(TokenKind kind, const char* expected) {
    if (peek().kind != kind) fail(fmt::format("expected {}", expected));
    ++next_;
  }

  static GrammarValue as_value(GrammarResult result) {
    if (result.sweep) {
      result.value.sweep = std::make_shared<const GrammarSweep>(std::move(*result.sweep));
    }
    return std::move(result.value);
  }

  GrammarResult parse_element(size_t depth) {
    if (depth > kDeepest) fail(fmt::format("nested deeper than {} levels", kDeepest));
    switch (peek().kind) {
      case TokenKind::kBracketOpen:
        return {parse_list(depth), {}};
      case TokenKind::kBraceOpen:
        return {parse_map(depth), {}};
      case TokenKind::kQuoted: {
        GrammarValue value = scalar_value(unquoted(peek().text));
        value.quote = peek().text.front();
        ++next_;
        return {std::move(value), {}};
      }
      case TokenKind::kId:
        if (peek(1).kind == TokenKind::kOpen) return parse_call(depth);
        break;
      default:
        break;
    }
    return {parse_unquoted(false), {}};
  }

  GrammarValue parse_list(size_t depth) {
    GrammarValue list;
    list.kind = ConfigKind::kList;
    ++next_;
    while (peek().kind != TokenKind::kBracketClose) {
      list.items.push_back(as_value(parse_element(depth + 1)));
      if (peek().kind == TokenKind::kBracketClose) break;
      expect(TokenKind::kComma, "',' or ']'");
      if (peek().kind == TokenKind::kBracketClose) fail("a value is missing");
    }
    ++next_;
    return list;
  }

  GrammarValue parse_map(size_t depth) {
    GrammarValue map;
    map.kind = ConfigKind::kMap;
    ++next_;
    while (peek().kind != TokenKind::kBraceClose) {
      if (peek().kind == TokenKind::kQuoted) fail("a quoted key; keys in {} are unquoted");
      GrammarValue key = parse_unquoted(true);
      expect(TokenKind::kColon, "':' after the key");
      put(map, std::move(key), as_value(parse_element(depth + 1)));
      if (peek().kind == TokenKind::kBraceClose) break;
      expect(TokenKind::kComma, "',' or '}'");
      if (peek().kind == TokenKind::kBraceClose) fail("a key is missing");
    }
    ++next_;
    return map;
  }

  /// As in Python: the first spelling of a key stays, its last value counts.
  static void put(GrammarValue& map, GrammarValue key, GrammarValue value) {
    for (auto& [known, old] : map.entries) {
      if (same_key(known.scalar, key.scalar)) {
        old = std::move(value);
        return;
      }
    }
    map.entries.push_back({std::move(key), std::move(value)});
  }

  /// Words, numbers and blanks in a row: typed if it is only one token, else a text.
  GrammarValue parse_unquoted(bool is_key) {
    const size_t begin = next_;
    while (is_unquoted(peek().kind, is_key)) ++next_;
    if (next_ == begin) {
      if (peek().kind == TokenKind::kEnd) fail("a value is missing");
      fail_unexpected();
    }
    std::vector<Token> parts(tokens_.begin() + static_cast<std::ptrdiff_t>(begin),
                             tokens_.begin() + static_cast<std::ptrdiff_t>(next_));
    if (parts.front().kind == TokenKind::kBlank) parts.erase(parts.begin());
    if (!parts.empty() && parts.back().kind == TokenKind::kBlank) parts.pop_back();
    if (parts.empty()) fail("a value is missing");
    if (parts.size() == 1) return scalar_value(token_value(parts.front()));
    std::string out;
    for (const Token& part : parts) {
      out += part.kind == TokenKind::kEscape ? unescaped(part) : std::string(part.text);
    }
    return scalar_value(std::move(out));
  }

  GrammarResult parse_call(size_t depth) {
    const std::string name(peek().text);
    next_ += 2;
    std::vector<GrammarArgument> arguments;
    while (peek().kind != TokenKind::kClose) {
      GrammarArgument argument;
      if (peek().kind == TokenKind::kId && peek(1).kind == TokenKind::kEqual) {
        argument.name = std::string(peek().text);
        next_ += 2;
      } else if (!arguments.empty() && !arguments.back().name.empty()) {
        fail("a positional argument after a named one");
      }
      argument.value = parse_element(depth + 1);
      arguments.push_back(std::move(argument));
      if (peek().kind == TokenKind::kClose) break;
      expect(TokenKind::kComma, "',' or ')'");
      if (peek().kind == TokenKind::kClose) fail("an argument is missing");
    }
    ++next_;
    return call_grammar_function(name, std::move(arguments));
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
};

std::string escaped(const std::string& text) {
  static constexpr std::string_view kEscapable = "\\()[]{}:=, \t";
  std::string out;
  for (const char c : text) {
    if (kEscapable.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// Backslashes before a quote, or at the end, are doubled: the reverse of unquoted().
std::string quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  size_t slashes = 0;
  for (const char c : text) {
    if (c == quote) out.append(slashes + 1, '\\');
    slashes = c == '\\' ? slashes + 1 : 0;
    out += c;
  }
  return out.append(slashes, '\\') + quote;
}

[[noreturn]] void fail_sweep_inside() {
  throw Error(ErrorKind::kConfig,
              "a sweep stands where one value belongs; sweep over whole values with choice(..)");
}

}  // namespace

ConfigNode GrammarValue::node() const {
  if (sweep) fail_sweep_inside();
  if (kind == ConfigKind::kList) {
    ConfigNode list = ConfigNode::list();
    for (const GrammarValue& item : items) list.items().push_back(item.node());
    return list;
  }
  if (kind == ConfigKind::kMap) {
    ConfigNode map = ConfigNode::map();
    for (const auto& [key, value] : entries) {
      map.entries().push_back({key_spelling(key.scalar), value.node(), key.kind});
    }
    return map;
  }
  return scalar;
}

std::string GrammarValue::text() const {
  if (sweep) fail_sweep_inside();
  std::string out;
  if (kind == ConfigKind::kList) {
    for (const GrammarValue& item : items) out += "," + item.text();
    return "[" + (out.empty() ? out : out.substr(1)) + "]";
  }
  if (kind == ConfigKind::kMap) {
    for (const auto& [key, value] : entries) out += "," + key.text() + ":" + value.text();
    return "{" + (out.empty() ? out : out.substr(1)) + "}";
  }
  if (scalar.is_null()) return "null";
  if (!scalar.is_string()) return python_text(scalar);
  return quote == '\0' ? escaped(scalar.as_string()) : quoted(scalar.as_string(), quote);
}

GrammarResult parse_grammar_value(std::string_view text) {
  return Parser(text).parse_all();
}

}  // namespace kvscope
