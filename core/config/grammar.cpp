#include "core/config/grammar.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <regex>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/grammar_function.h"

namespace kvscope {
namespace {

constexpr std::string_view kEscapable = "\\()[]{}:=, \t";
constexpr int kDeepest = 64;
constexpr size_t kLongestNumber = 128;  // std::regex recurses once a character

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// The typed value of an unquoted word: Hydra's INT, FLOAT, BOOL and NULL tokens, else the text.
GrammarValue typed_word(const std::string& word) {
  static const std::regex kInt("[-+]?(?:0|[1-9](?:_?[0-9])*)");
  static const std::regex kFloat(
      "[-+]?(?:(?:(?:0|[1-9](?:_?[0-9])*)\\.|(?:0|[1-9](?:_?[0-9])*)?\\.[0-9](?:_?[0-9])*)"
      "(?:[eE][-+]?[0-9](?:_?[0-9])*)?|(?:0|[1-9](?:_?[0-9])*)[eE][-+]?[0-9](?:_?[0-9])*"
      "|[Ii][Nn][Ff]|[Nn][Aa][Nn])");
  GrammarValue value;
  value.scalar = word;
  const std::string small = word.size() <= 5 ? lower(word) : "";
  if (small == "true" || small == "false") value.scalar = small == "true";
  if (small == "null") value.scalar = ConfigNode();
  static constexpr std::string_view kNumberStart = "+-.0123456789iInN";
  if (word.size() <= kLongestNumber && kNumberStart.find(word.front()) != kNumberStart.npos) {
    std::string digits = word;
    std::erase(digits, '_');
    if (digits.starts_with('+')) digits.erase(0, 1);
    const char* end = digits.data() + digits.size();
    if (std::regex_match(word, kInt)) {
      int64_t number = 0;
      if (std::from_chars(digits.data(), end, number).ec != std::errc()) {
        throw Error(ErrorKind::kConfig, fmt::format("the integer '{}' does not fit 64 bits", word));
      }
      value.scalar = number;
      value.literal = digits;
    } else if (std::regex_match(word, kFloat)) {
      double number = 0;
      if (std::from_chars(digits.data(), end, number).ec == std::errc::result_out_of_range) {
        const size_t exponent = digits.find_first_of("eE");
        const bool tiny = exponent != digits.npos && digits[exponent + 1] == '-';
        number = tiny ? 0 : std::numeric_limits<double>::infinity();
        if (digits.starts_with('-')) number = -number;
      }
      value.scalar = number;
      value.literal = digits;
    }
  }
  value.kind = value.scalar.kind();
  return value;
}

class Parser {
 public:
  Parser(std::string_view text, const GrammarRules& rules) : text_(text), rules_(rules) {}

  GrammarResult parse_all() {
    skip_space();
    if (at_end()) {  // key= is the empty string
      GrammarResult empty;
      empty.value.scalar = "";
      empty.value.kind = ConfigKind::kString;
      return empty;
    }
    GrammarResult first = parse_element(0);
    skip_space();
    if (peek() == ',') {
      GrammarSweep sweep;
      append(sweep, first);
      while (peek() == ',') {
        ++position_;
        append(sweep, parse_element(0));
        skip_space();
      }
      first = {{}, sweep};
    }
    if (!at_end()) fail(fmt::format("unexpected '{}'", peek()));
    return first;
  }

 private:
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  void skip_space() {
    while (is_space(peek())) ++position_;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} at character {} of the value '{}'", what, position_ + 1, text_));
  }

  /// `choice(a,b),c`: a sweep inside a comma list has no meaning on a grid.
  void append(GrammarSweep& sweep, const GrammarResult& result) const {
    if (result.sweep) fail("a sweep inside a comma list; write one choice(..) with all values");
    sweep.values.push_back(result.value);
  }

  GrammarResult parse_element(int depth) {
    if (depth > kDeepest) fail(fmt::format("nested deeper than {} levels", kDeepest));
    skip_space();
    if (peek() == '[') return {parse_list(depth), {}};
    if (peek() == '{') return {parse_map(depth), {}};
    if (peek() == '\'' || peek() == '"') return {parse_quoted(), {}};
    if (is_letter(peek())) {
      size_t end = position_;
      while (end < text_.size() &&
             (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '-')) {
        ++end;
      }
      size_t open = end;
      while (open < text_.size() && is_space(text_[open])) ++open;
      if (open < text_.size() && text_[open] == '(') {
        const std::string name(text_.substr(position_, end - position_));
        position_ = open + 1;
        return parse_call(name, depth);
      }
    }
    return {parse_word(false), {}};
  }

  GrammarValue parse_value(int depth) {
    GrammarResult result = parse_element(depth);
    if (result.sweep)
      fail("a sweep inside a list or mapping; sweep over whole values with choice(..)");
    return result.value;
  }

  GrammarValue parse_list(int depth) {
    GrammarValue list;
    list.kind = ConfigKind::kList;
    ++position_;
    skip_space();
    if (peek() == ']') {
      ++position_;
      return list;
    }
    while (true) {
      list.items.push_back(parse_value(depth + 1));
      skip_space();
      if (peek() == ']') break;
      if (peek() != ',') fail("expected ',' or ']'");
      ++position_;
    }
    ++position_;
    return list;
  }

  GrammarValue parse_map(int depth) {
    GrammarValue map;
    map.kind = ConfigKind::kMap;
    ++position_;
    skip_space();
    if (peek() == '}') {
      ++position_;
      return map;
    }
    while (true) {
      skip_space();
      if (peek() == '\'' || peek() == '"') fail("a quoted key; keys in {} are unquoted");
      GrammarValue key = parse_word(true);
      skip_space();
      if (peek() != ':') fail("expected ':' after the key");
      ++position_;
      GrammarValue value = parse_value(depth + 1);
      put(map, std::move(key), std::move(value));
      skip_space();
      if (peek() == '}') break;
      if (peek() != ',') fail("expected ',' or '}'");
      ++position_;
    }
    ++position_;
    return map;
  }

  /// As in Python, 1, 1.0 and true are one key; the first spelling stays, the last value counts.
  static bool same_key(const ConfigNode& a, const ConfigNode& b) {
    const auto number = [](const ConfigNode& node) -> std::optional<double> {
      if (node.kind() == ConfigKind::kBool) return node.as_bool() ? 1.0 : 0.0;
      if (node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat) {
        return node.as_double();
      }
      return std::nullopt;
    };
    return a == b || (number(a) && number(a) == number(b));
  }

  static void put(GrammarValue& map, GrammarValue key, GrammarValue value) {
    for (auto& [known, old] : map.entries) {
      if (same_key(known.scalar, key.scalar)) {
        old = std::move(value);
        return;
      }
    }
    map.entries.push_back({std::move(key), std::move(value)});
  }

  /// Backslashes count only right before a quote of the same kind: 2n of them and the quote end the
  /// string, 2n + 1 put a quote into it.
  GrammarValue parse_quoted() {
    GrammarValue value;
    value.quote = peek();
    value.kind = ConfigKind::kString;
    std::string out;
    ++position_;
    while (true) {
      if (at_end()) fail("a string without its closing quote");
      size_t slashes = 0;
      while (peek(slashes) == '\\') ++slashes;
      const char next = peek(slashes);
      position_ += slashes;
      if (next != value.quote) {
        out.append(slashes, '\\');
        if (at_end()) continue;
        out += next;
        ++position_;
        continue;
      }
      out.append(slashes / 2, '\\');
      ++position_;
      if (slashes % 2 == 0) break;
      out += next;
    }
    value.scalar = out;
    skip_space();
    if (!at_end() && std::string_view(",]})").find(peek()) == std::string_view::npos) {
      fail("text after a quoted string");
    }
    return value;
  }

  /// `${...}` as one token. Returns its length, 0 if there is none here.
  [[nodiscard]] size_t interpolation_length() const {
    if (peek() != '$' || peek(1) != '{') return 0;
    int open = 1;
    char quote = '\0';
    for (size_t i = position_ + 2; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (rules_.nested_interpolations && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == '{') {
        if (!rules_.nested_interpolations) return 0;
        ++open;
      } else if (c == '}' && --open == 0) {
        return i + 1 - position_;
      }
    }
    return 0;
  }

  GrammarValue parse_word(bool is_key) {
    std::string out;
    std::string raw;
    size_t kept = 0;  // length of `out` up to its last character that is no trailing space
    bool plain = true;
    while (!at_end()) {
      const char c = peek();
      if (c == ',' || c == ']' || c == '}' || c == ')' || (is_key && c == ':')) break;
      if (const size_t length = is_key ? 0 : interpolation_length(); length > 0) {
        out += text_.substr(position_, length);
        position_ += length;
        plain = false;
        kept = out.size();
      } else if (c == '\\' && kEscapable.find(peek(1)) != kEscapable.npos && peek(1) != '\0') {
        out += peek(1);
        position_ += 2;
        plain = false;
        kept = out.size();
      } else {
        check_character(c);
        out += c;
        ++position_;
        if (!is_space(c)) kept = out.size();
      }
    }
    out.resize(kept);
    if (out.empty()) fail(at_end() ? "a value is missing" : fmt::format("unexpected '{}'", peek()));
    if (plain) return typed_word(out);
    GrammarValue value;
    value.scalar = out;
    value.kind = ConfigKind::kString;
    return value;
  }

  void check_character(char c) const {
    static constexpr std::string_view kOthers = "/-\\+.$%*@?|: \t";
    static constexpr std::string_view kNever = "'\"([{=";
    if (is_letter(c) || is_digit(c) || kOthers.find(c) != kOthers.npos) return;
    if (rules_.any_character && kNever.find(c) == kNever.npos) return;
    if (c == '{' && position_ > 0 && text_[position_ - 1] == '$') {
      fail("'${' without a simple '${name}'");
    }
    fail(fmt::format("'{}' in unquoted text", static_cast<unsigned char>(c) < 0x80
                                                  ? std::string(1, c)
                                                  : "a non-ASCII letter"));
  }

  GrammarResult parse_call(const std::string& name, int depth) {
    std::vector<GrammarArgument> arguments;
    skip_space();
    while (peek() != ')') {
      if (at_end()) fail("expected ')'");
      GrammarArgument argument;
      size_t end = position_;
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
      if (end > position_ && is_letter(peek()) && end < text_.size() && text_[end] == '=') {
        argument.name = std::string(text_.substr(position_, end - position_));
        position_ = end + 1;
      }
      argument.value = parse_element(depth + 1);
      if (argument.name.empty() && !arguments.empty() && !arguments.back().name.empty()) {
        fail("a positional argument after a named one");
      }
      arguments.push_back(std::move(argument));
      skip_space();
      if (peek() == ',') {
        ++position_;
        skip_space();
        if (peek() == ')') fail("an argument is missing");
      } else if (peek() != ')') {
        fail("expected ',' or ')'");
      }
    }
    ++position_;
    skip_space();
    if (!at_end() && std::string_view(",]})").find(peek()) == std::string_view::npos) {
      fail(fmt::format("text after {}(..)", name));
    }
    return call_grammar_function(name, arguments);
  }

  std::string_view text_;
  GrammarRules rules_;
  size_t position_ = 0;
};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (kEscapable.find(c) != kEscapable.npos) out += '\\';
    out += c;
  }
  return out;
}

/// Backslashes before a quote, or at the end, are doubled: the reverse of parse_quoted.
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

}  // namespace

ConfigNode GrammarValue::node() const {
  if (kind == ConfigKind::kList) {
    ConfigNode list = ConfigNode::list();
    for (const GrammarValue& item : items) list.items().push_back(item.node());
    return list;
  }
  if (kind == ConfigKind::kMap) {
    ConfigNode map = ConfigNode::map();
    for (const auto& [key, value] : entries) {
      std::string name = key.scalar.is_string()          ? key.scalar.as_string()
                         : key.scalar.is_null()          ? "null"
                         : key.kind == ConfigKind::kBool ? lower(key.text())
                                                         : python_text(key.scalar);
      map.entries().push_back({std::move(name), value.node(), key.kind});
    }
    return map;
  }
  return scalar;
}

std::string GrammarValue::text() const {
  std::string out;
  if (kind == ConfigKind::kList) {
    for (const GrammarValue& item : items) out += (out.empty() ? "" : ",") + item.text();
    return "[" + out + "]";
  }
  if (kind == ConfigKind::kMap) {
    for (const auto& [key, value] : entries) {
      out += (out.empty() ? "" : ",") + key.text() + ":" + value.text();
    }
    return "{" + out + "}";
  }
  if (scalar.is_null()) return "null";
  if (!scalar.is_string()) return python_text(scalar);
  return quote == '\0' ? escaped(scalar.as_string()) : quoted(scalar.as_string(), quote);
}

GrammarResult parse_grammar_value(std::string_view text, const GrammarRules& rules) {
  return Parser(text, rules).parse_all();
}

ConfigNode parse_grammar_node(std::string_view text, const GrammarRules& rules) {
  const GrammarResult result = parse_grammar_value(text, rules);
  if (result.sweep) {
    throw Error(ErrorKind::kConfig, fmt::format("'{}' is a sweep where one value is needed", text));
  }
  return result.value.node();
}

std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  int open = 0;
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && c == ',' && open == 0) {
      parts.push_back(part);
      part.clear();
      continue;
    }
    part += c;
    if (c == '\\' && i + 1 < text.size()) {
      part += text[++i];
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[' || c == '{' || c == '(') {
      ++open;
    } else if (c == ']' || c == '}' || c == ')') {
      --open;
    }
  }
  parts.push_back(part);
  return parts;
}

}  // namespace kvscope
