#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <regex>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/big_integer.h"
#include "core/config/number_text.h"
#include "core/config/yaml_text.h"

namespace kvscope {
namespace {

// No number of ours is longer, and std::regex recurses once a character.
constexpr size_t kLongestNumber = 128;

// PyYAML's implicit resolvers, with OmegaConf's pattern for floats.
bool looks_like_int(const std::string& text) {
  static const std::regex kPattern(
      "[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+"
      "|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
      std::regex::ECMAScript | std::regex::optimize);
  return std::regex_match(text, kPattern);
}

bool looks_like_float(const std::string& text) {
  static const std::regex kPattern(
      "[-+]?[0-9][0-9_]*\\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
      "|\\.[0-9_]*[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\\.[0-9_]*"
      "|[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN)",
      std::regex::ECMAScript | std::regex::optimize);
  return std::regex_match(text, kPattern);
}

/// Takes the sign off `digits`; true if it was a minus.
bool take_sign(std::string_view& digits) {
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  return negative;
}

/// Digits of a base to decimal ones, of any length.
std::string decimal_digits(std::string_view digits, unsigned base) {
  std::vector<unsigned> decimal{0};  // the last first
  for (const char c : digits) {
    unsigned carry = static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    for (unsigned& digit : decimal) {
      carry += digit * base;
      digit = carry % 10;
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) decimal.push_back(carry % 10);
  }
  std::string out;
  for (auto digit = decimal.rbegin(); digit != decimal.rend(); ++digit) {
    out += static_cast<char>('0' + *digit);
  }
  return out;
}

ConfigNode int_in_base(std::string_view digits, unsigned base, bool negative) {
  return integer_node((negative ? "-" : "") + decimal_digits(digits, base));
}

/// 1:30 = 90, 1:00:01.5 = 3601.5.
double sexagesimal(const std::string& digits) {
  double value = 0;
  size_t begin = 0;
  while (begin <= digits.size()) {
    const size_t colon = std::min(digits.find(':', begin), digits.size());
    value = value * 60 + double_of_digits(digits.substr(begin, colon - begin));
    begin = colon + 1;
  }
  return value;
}

ConfigNode parse_int(const std::string& text, const std::string& plain) {
  std::string_view digits = plain;
  const bool negative = take_sign(digits);
  if (digits.starts_with("0b")) return int_in_base(digits.substr(2), 2, negative);
  if (digits.starts_with("0x")) return int_in_base(digits.substr(2), 16, negative);
  if (digits.find(':') != digits.npos) {
    const double value = sexagesimal(std::string(digits));
    if (value > 9e15) throw Error(ErrorKind::kConfig, "the integer '" + text + "' is too large");
    return static_cast<int64_t>(negative ? -value : value);
  }
  const bool octal = digits.size() > 1 && digits.front() == '0';
  return int_in_base(digits, octal ? 8 : 10, negative);
}

ConfigNode parse_float(const std::string& plain) {
  std::string_view digits = plain;
  const bool negative = take_sign(digits);
  double value = 0;
  if (digits.size() == 4 && (digits[1] == 'i' || digits[1] == 'I')) {
    value = std::numeric_limits<double>::infinity();
  } else if (digits.size() == 4 && (digits[1] == 'n' || digits[1] == 'N')) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (digits.find(':') != digits.npos) {
    value = sexagesimal(std::string(digits));
  } else {
    value = double_of_digits(std::string(digits));
  }
  return negative ? -value : value;
}

bool is_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

std::optional<ConfigNode> tagged_int(const std::string& text) {
  std::string plain = text;
  std::erase(plain, '_');
  if (looks_like_int(plain)) return parse_int(plain, plain);
  return integer_of_text(plain);
}

std::optional<ConfigNode> tagged_float(const std::string& text) {
  std::string plain = text;
  std::erase(plain, '_');
  if (looks_like_float(plain)) return parse_float(plain);
  const std::optional<double> value = float_of_text(plain);
  return value ? std::optional<ConfigNode>(*value) : std::nullopt;
}

}  // namespace

ConfigNode parse_tagged_scalar(const std::string& tag, const std::string& text) {
  static const std::string kPrefix = "tag:yaml.org,2002:";
  const std::string type = tag.starts_with(kPrefix) ? tag.substr(kPrefix.size()) : "";
  if (type == "null") return {};
  std::optional<ConfigNode> value;
  if (text.size() <= kLongestNumber) {
    if (type == "int") value = tagged_int(text);
    if (type == "float") value = tagged_float(text);
  }
  if (type == "bool") {
    std::string small = text;
    for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (is_any(small, {"yes", "true", "on"})) value = true;
    if (is_any(small, {"no", "false", "off"})) value = false;
  }
  if (value) return *value;
  const bool known = type == "int" || type == "float" || type == "bool";
  throw Error(ErrorKind::kConfig, known ? "'" + text + "' is no " + type + ", as its tag says"
                                        : "the tag '" + tag + "' is not supported in config files");
}

ConfigNode parse_yaml_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  for (const char* word : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    if (text == word) return false;
  }
  static constexpr std::string_view kNumberStart = "+-.0123456789";
  if (text.size() > kLongestNumber || kNumberStart.find(text.front()) == kNumberStart.npos) {
    return text;
  }
  std::string plain = text;
  std::erase(plain, '_');
  if (looks_like_int(text) && plain.find_first_of("0123456789") != plain.npos) {
    if (plain.ends_with('b') || plain.ends_with('x')) return text;  // "0x_": no digit
    return parse_int(text, plain);
  }
  if (looks_like_float(text)) return parse_float(plain);
  return text;
}

}  // namespace kvscope
