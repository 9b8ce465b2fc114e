#include "core/config/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr size_t kLongest = 4096;
constexpr int kDeepest = 64;
constexpr size_t kMostNodes = 500;  // a chain of operators is as deep as it is long

using Kind = ExpressionNode::Kind;

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = {"abs",  "ceil", "float", "floor", "int",
                                                 "log2", "max",  "min",   "round", "sqrt"};
  return names;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  ExpressionNode parse() {
    if (text_.size() > kLongest) fail("an expression of more than 4096 characters");
    ExpressionNode root = disjunction();
    skip_blanks();
    if (position_ < text_.size()) {
      fail(fmt::format("'{}' where an operator or the end was expected", text_[position_]));
    }
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    fail_in_expression(text_, position_, what);
  }

  void skip_blanks() {
    while (position_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }

  [[nodiscard]] bool is_next(std::string_view symbol) const {
    return std::string_view(text_).substr(position_).starts_with(symbol);
  }

  /// Takes a symbol such as "<="; `unless` is a longer one that begins with it.
  bool take(std::string_view symbol, std::string_view unless = {}) {
    skip_blanks();
    if (!is_next(symbol) || (!unless.empty() && is_next(unless))) return false;
    position_ += symbol.size();
    return true;
  }

  /// Takes a word such as `and`, which ends where a name would.
  bool take_word(std::string_view word) {
    skip_blanks();
    const size_t end = position_ + word.size();
    if (!is_next(word) || (end < text_.size() && is_name(text_[end]))) return false;
    position_ = end;
    return true;
  }

  static bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '.'; }

  ExpressionNode made(Kind kind,
                      std::string text,
                      std::vector<ExpressionNode> operands,
                      size_t position) {
    if (++nodes_ > kMostNodes) fail("an expression of more than 500 parts");
    ExpressionNode node;
    node.kind = kind;
    node.text = std::move(text);
    node.operands = std::move(operands);
    node.position = position;
    return node;
  }

  ExpressionNode disjunction() {
    if (++depth_ > kDeepest) fail("nested deeper than 64 levels");
    ExpressionNode left = conjunction();
    while (take_word("or")) {
      const size_t at = position_ - 2;
      left = made(Kind::kOperator, "or", {std::move(left), conjunction()}, at);
    }
    --depth_;
    return left;
  }

  ExpressionNode conjunction() {
    ExpressionNode left = negation();
    while (take_word("and")) {
      const size_t at = position_ - 3;
      left = made(Kind::kOperator, "and", {std::move(left), negation()}, at);
    }
    return left;
  }

  ExpressionNode negation() {
    size_t count = 0;
    const size_t at = position_;
    while (take_word("not")) ++count;
    ExpressionNode node = comparison();
    if (count == 0) return node;
    node = made(Kind::kOperator, "not", {std::move(node)}, at);
    return count % 2 == 1 ? node : made(Kind::kOperator, "not", {std::move(node)}, at);
  }

  std::string comparison_sign() {
    for (const char* sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(sign)) return sign;
    }
    skip_blanks();
    if (is_next("=")) fail("'=' does not compare; '==' does");
    if (is_next("&&") || is_next("||") || is_next("!")) fail("write and, or, not");
    if (take_word("in")) return "in";
    const size_t before = position_;
    if (take_word("not")) {
      if (take_word("in")) return "not in";
      position_ = before;
      fail("'not' where an operator was expected; 'not in' is one");
    }
    return "";
  }

  /// `a < b <= c` is `a < b and b <= c`.
  ExpressionNode comparison() {
    ExpressionNode left = sum();
    std::optional<ExpressionNode> all;
    while (true) {
      skip_blanks();
      const size_t at = position_;
      const std::string sign = comparison_sign();
      if (sign.empty()) return all ? std::move(*all) : std::move(left);
      ExpressionNode right = sum();
      ExpressionNode one = made(Kind::kOperator, sign, {std::move(left), right}, at);
      all = all ? made(Kind::kOperator, "and", {std::move(*all), std::move(one)}, at)
                : std::move(one);
      left = std::move(right);
    }
  }

  ExpressionNode sum() {
    ExpressionNode left = product();
    while (true) {
      skip_blanks();
      const size_t at = position_;
      const char* sign = take("+") ? "+" : take("-") ? "-" : nullptr;
      if (sign == nullptr) return left;
      left = made(Kind::kOperator, sign, {std::move(left), product()}, at);
    }
  }

  ExpressionNode product() {
    ExpressionNode left = sign();
    while (true) {
      skip_blanks();
      const size_t at = position_;
      const char* symbol = take("//")        ? "//"
                           : take("*", "**") ? "*"
                           : take("/")       ? "/"
                           : take("%")       ? "%"
                                             : nullptr;
      if (symbol == nullptr) return left;
      left = made(Kind::kOperator, symbol, {std::move(left), sign()}, at);
    }
  }

  /// -a ** b is -(a ** b), as in Python.
  ExpressionNode sign() {
    if (++depth_ > kDeepest) fail("nested deeper than 64 levels");
    skip_blanks();
    const size_t at = position_;
    ExpressionNode node;
    if (take("-")) {
      node = made(Kind::kOperator, "negative", {sign()}, at);
    } else if (take("+")) {
      node = sign();
    } else {
      node = power();
    }
    --depth_;
    return node;
  }

  ExpressionNode power() {
    ExpressionNode base = atom();
    skip_blanks();
    const size_t at = position_;
    if (!take("**")) return base;
    return made(Kind::kOperator, "**", {std::move(base), sign()}, at);
  }

  ExpressionNode atom() {
    skip_blanks();
    const size_t at = position_;
    if (at >= text_.size()) fail("the end where a value was expected");
    if (take("(")) {
      ExpressionNode inside = disjunction();
      if (!take(")")) fail("expected ')'");
      return inside;
    }
    if (take("[")) return made(Kind::kList, "", arguments("]"), at);
    if (is_next("${")) return interpolation();
    const char c = text_[at];
    if (c == '\'' || c == '"') return quoted(c);
    if (is_digit(c) || (c == '.' && at + 1 < text_.size() && is_digit(text_[at + 1]))) {
      return number();
    }
    if (is_letter(c)) return name();
    fail(fmt::format("'{}' where a value was expected", c));
  }

  std::vector<ExpressionNode> arguments(const char* end) {
    std::vector<ExpressionNode> all;
    if (take(end)) return all;
    do {
      all.push_back(disjunction());
    } while (take(","));
    if (!take(end)) fail(fmt::format("expected ',' or '{}'", end));
    return all;
  }

  ExpressionNode interpolation() {
    const size_t at = position_;
    int open = 0;
    for (size_t i = at; i < text_.size(); ++i) {
      if (text_[i] == '{') ++open;
      if (text_[i] == '}' && --open == 0) {
        position_ = i + 1;
        return made(Kind::kInterpolation, text_.substr(at + 2, i - at - 2), {}, at);
      }
    }
    fail("'${' without its '}'");
  }

  ExpressionNode quoted(char quote) {
    const size_t at = position_++;
    std::string out;
    while (position_ < text_.size() && text_[position_] != quote) {
      if (text_[position_] == '\\' && position_ + 1 < text_.size()) ++position_;
      out += text_[position_++];
    }
    if (position_ >= text_.size()) {
      position_ = at;
      fail("a text without its closing quote");
    }
    ++position_;
    ExpressionNode node = made(Kind::kLiteral, "", {}, at);
    node.literal = out;
    return node;
  }

  ExpressionNode number() {
    const size_t at = position_;
    size_t end = at;
    while (end < text_.size()) {
      const bool is_exponent_sign = (text_[end] == '+' || text_[end] == '-') && end > at &&
                                    (text_[end - 1] == 'e' || text_[end - 1] == 'E');
      if (!is_name(text_[end]) && !is_exponent_sign) break;
      ++end;
    }
    const std::string digits = text_.substr(at, end - at);
    const char* last = digits.data() + digits.size();
    ExpressionNode node = made(Kind::kLiteral, "", {}, at);
    if (digits.find_first_not_of("0123456789") == digits.npos) {
      int64_t value = 0;
      if (std::from_chars(digits.data(), last, value).ec != std::errc()) {
        fail(fmt::format("the integer {} does not fit 64 bits", digits));
      }
      node.literal = value;
    } else {
      double value = 0;
      const auto read = std::from_chars(digits.data(), last, value);
      if (read.ec != std::errc() || read.ptr != last)
        fail(fmt::format("'{}' is no number", digits));
      node.literal = value;
    }
    position_ = end;
    return node;
  }

  ExpressionNode name() {
    const size_t at = position_;
    size_t end = at;
    while (end < text_.size() && is_name(text_[end])) ++end;
    const std::string word = text_.substr(at, end - at);
    static const std::array<std::pair<const char*, ConfigNode>, 6> kConstants = {
        {{"true", ConfigNode(true)},
         {"True", ConfigNode(true)},
         {"false", ConfigNode(false)},
         {"False", ConfigNode(false)},
         {"null", ConfigNode()},
         {"None", ConfigNode()}}};
    for (const auto& [constant, value] : kConstants) {
      if (word != constant) continue;
      position_ = end;
      ExpressionNode node = made(Kind::kLiteral, "", {}, at);
      node.literal = value;
      return node;
    }
    for (const char* operation : {"and", "or", "not", "in"}) {
      if (word == operation) fail(fmt::format("'{}' where a value was expected", word));
    }
    position_ = end;
    if (!take("(")) {
      position_ = end;
      return made(Kind::kKey, word, {}, at);
    }
    const std::vector<std::string>& known = function_names();
    if (std::ranges::find(known, word) == known.end()) {
      position_ = at;
      fail(fmt::format("no function '{}(..)'. {}", word, suggestion(word, known)));
    }
    return made(Kind::kFunction, word, arguments(")"), at);
  }

  const std::string& text_;
  size_t position_ = 0;
  int depth_ = 0;
  size_t nodes_ = 0;
};

}  // namespace

ExpressionNode parse_expression(const std::string& text) {
  return Parser(text).parse();
}

void fail_in_expression(const std::string& text, size_t position, const std::string& what) {
  constexpr size_t kShown = 200;
  const std::string shown = text.size() > kShown ? text.substr(0, kShown) + "..." : text;
  throw Error(ErrorKind::kConfig, fmt::format("{}, at character {} of the expression \"{}\"", what,
                                              position + 1, shown));
}

}  // namespace kvscope
