#include "core/config/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/config/big_integer.h"

namespace kvscope {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view stripped(std::string_view text) {
  static constexpr std::string_view kBlanks = " \t\n\r\v\f";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// Without underscores; none if one does not stand between two digits.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return out;
}

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

double double_of_digits(const std::string& digits) {
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // from_chars leaves the value alone: beyond the range is infinity, below it is zero.
    const size_t exponent = digits.find_first_of("eE");
    const bool tiny = exponent != digits.npos ? digits[exponent + 1] == '-'
                                              : (digits[0] == '0' || digits[0] == '.');
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
    if (digits.starts_with('-')) value = -value;
  }
  return value;
}

std::optional<ConfigNode> integer_of_text(std::string_view text) {
  const std::optional<std::string> plain = without_underscores(stripped(text));
  if (!plain) return std::nullopt;
  const size_t sign = plain->starts_with('-') || plain->starts_with('+') ? 1 : 0;
  const bool all_digits =
      plain->size() > sign && std::all_of(plain->begin() + sign, plain->end(), is_digit);
  if (!all_digits) return std::nullopt;
  return integer_node(*plain);
}

std::optional<double> float_of_text(std::string_view text) {
  const std::optional<std::string> plain = without_underscores(stripped(text));
  if (!plain) return std::nullopt;
  const bool negative = plain->starts_with('-');
  const std::string digits = small(plain->substr(negative || plain->starts_with('+') ? 1 : 0));
  double value = 0;
  if (digits == "inf" || digits == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (digits == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    const size_t exponent = std::min(digits.find('e'), digits.size());
    const auto only_digits = [](std::string_view part) {
      return !part.empty() && std::ranges::all_of(part, is_digit);
    };
    std::string mantissa = digits.substr(0, exponent);
    if (const size_t point = mantissa.find('.'); point != mantissa.npos) mantissa.erase(point, 1);
    std::string_view power = std::string_view(digits).substr(exponent);
    if (!power.empty()) power.remove_prefix(1);
    if (power.starts_with('+') || power.starts_with('-')) power.remove_prefix(1);
    if (!only_digits(mantissa)) return std::nullopt;
    if (exponent < digits.size() && !only_digits(power)) return std::nullopt;
    value = double_of_digits(digits);
  }
  return negative ? -value : value;
}

ConfigNode truncated(double value) {
  return integer_node(fmt::format("{:.0f}", std::trunc(value)));
}

}  // namespace kvscope
