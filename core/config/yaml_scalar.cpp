#include <charconv>
#include <cmath>
#include <limits>
#include <regex>

#include "core/base/error.h"
#include "core/config/yaml.h"

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

/// Magnitude and sign to int64; throws beyond 64 bits.
int64_t int_in_base(std::string_view digits, int base, bool negative, const std::string& text) {
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto result = std::from_chars(signed_digits.data(), end, value, base);
  if (result.ec != std::errc() || result.ptr != end) {
    throw Error(ErrorKind::kConfig, "the integer '" + text + "' does not fit 64 bits");
  }
  return value;
}

double parse_double(const std::string& digits) {
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // from_chars leaves the value alone: beyond the range is infinity, below it is zero.
    const size_t exponent = digits.find_first_of("eE");
    const bool tiny = exponent != digits.npos && digits[exponent + 1] == '-';
    return tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return value;
}

/// 1:30 = 90, 1:00:01.5 = 3601.5.
double sexagesimal(const std::string& digits) {
  double value = 0;
  size_t begin = 0;
  while (begin <= digits.size()) {
    const size_t colon = std::min(digits.find(':', begin), digits.size());
    value = value * 60 + parse_double(digits.substr(begin, colon - begin));
    begin = colon + 1;
  }
  return value;
}

ConfigNode parse_int(const std::string& text, const std::string& plain) {
  std::string_view digits = plain;
  const bool negative = take_sign(digits);
  if (digits.starts_with("0b")) return int_in_base(digits.substr(2), 2, negative, text);
  if (digits.starts_with("0x")) return int_in_base(digits.substr(2), 16, negative, text);
  if (digits.find(':') != digits.npos) {
    const double value = sexagesimal(std::string(digits));
    if (value > 9e15) throw Error(ErrorKind::kConfig, "the integer '" + text + "' is too large");
    return static_cast<int64_t>(negative ? -value : value);
  }
  const bool octal = digits.size() > 1 && digits.front() == '0';
  return int_in_base(digits, octal ? 8 : 10, negative, text);
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
    value = parse_double(std::string(digits));
  }
  return negative ? -value : value;
}

}  // namespace

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
