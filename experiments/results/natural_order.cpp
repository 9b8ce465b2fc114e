#include "experiments/results/natural_order.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>
#include <optional>

namespace kvscope {
namespace {

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// The leading run of digits, or of everything else.
std::string_view first_run(std::string_view text) {
  if (text.empty()) return text;
  const bool digits = is_digit(text.front());
  const auto end = std::ranges::find_if(text, [&](char c) { return is_digit(c) != digits; });
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

/// By value, however long: without leading zeros the longer run is the larger number.
std::strong_ordering compare_digits(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const std::optional<double> number_a = number_of(a);
  const std::optional<double> number_b = number_of(b);
  // Numbers stand before texts, so that the order stays one where both kinds occur.
  if (number_a.has_value() != number_b.has_value()) return number_a.has_value();
  if (number_a && *number_a != *number_b) return *number_a < *number_b;
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!number_a && !a.empty() && !b.empty()) {
    const std::string_view run_a = first_run(a);
    const std::string_view run_b = first_run(b);
    const bool digits = is_digit(run_a.front()) && is_digit(run_b.front());
    const auto order = digits ? compare_digits(run_a, run_b) : run_a <=> run_b;
    if (order != 0) return order < 0;
    a.remove_prefix(run_a.size());
    b.remove_prefix(run_b.size());
  }
  if (!number_a && a.size() != b.size()) return a.size() < b.size();
  return whole_a < whole_b;  // "08" and "8"
}

}  // namespace kvscope
