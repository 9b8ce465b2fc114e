#include "core/config/grammar_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/number_text.h"

namespace kvscope {
namespace {

constexpr size_t kMostValues = 1'000'000;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, "range(..): " + what);
}

GrammarValue scalar_value(ConfigNode node) {
  GrammarValue value;
  value.kind = node.kind();
  value.scalar = std::move(node);
  return value;
}

/// digits * 10^exponent, exactly what a double's shortest text says.
struct Decimal {
  int64_t digits = 0;
  int exponent = 0;
};

Decimal decimal_of(double value) {
  const std::string text = format_float(value);
  const size_t power = std::min(text.find('e'), text.size());
  std::string mantissa = text.substr(0, power);
  Decimal decimal;
  if (power < text.size()) {
    const char* begin = text.data() + power + (text[power + 1] == '+' ? 2 : 1);
    std::from_chars(begin, text.data() + text.size(), decimal.exponent);
  }
  if (const size_t point = mantissa.find('.'); point != mantissa.npos) {
    decimal.exponent -= static_cast<int>(mantissa.size() - point - 1);
    mantissa.erase(point, 1);
  }
  std::from_chars(mantissa.data(), mantissa.data() + mantissa.size(), decimal.digits);
  while (decimal.digits != 0 && decimal.digits % 10 == 0) {
    decimal.digits /= 10;
    ++decimal.exponent;
  }
  return decimal;
}

/// start, stop and step as multiples of one power of ten; none where that takes more than 64 bits.
std::optional<std::array<int64_t, 3>> common_scale(const std::array<double, 3>& bounds,
                                                   int& exponent) {
  std::array<Decimal, 3> decimals;
  for (size_t i = 0; i < 3; ++i) decimals[i] = decimal_of(bounds[i]);
  exponent = std::numeric_limits<int>::max();
  for (const Decimal& one : decimals) {
    if (one.digits != 0) exponent = std::min(exponent, one.exponent);
  }
  std::array<int64_t, 3> scaled{};
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 20;
  for (size_t i = 0; i < 3; ++i) {
    scaled[i] = decimals[i].digits;
    if (scaled[i] == 0) continue;
    for (int power = decimals[i].exponent; power > exponent; --power) {
      if (std::abs(scaled[i]) > kMost) return std::nullopt;
      scaled[i] *= 10;
    }
    if (std::abs(scaled[i]) > kMost * 10) return std::nullopt;
  }
  return scaled;
}

/// true counts as 1.
int64_t integer(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kBool) return node.as_bool() ? 1 : 0;
  return node.as_int64();
}

double number(const ConfigNode& node) {
  return node.kind() == ConfigKind::kBool ? static_cast<double>(integer(node)) : node.as_double();
}

void fill_with_integers(GrammarSweep& sweep) {
  const int64_t stop = integer(sweep.stop);
  const int64_t step = integer(sweep.step);
  int64_t at = integer(sweep.start);
  while (step > 0 ? at < stop : at > stop) {
    sweep.values.push_back(scalar_value(at));
    if (sweep.values.size() > kMostValues) fail("more than a million values");
    if (__builtin_add_overflow(at, step, &at)) break;
  }
}

void fill_with_floats(GrammarSweep& sweep) {
  const std::array<double, 3> bounds{number(sweep.start), number(sweep.stop), number(sweep.step)};
  int exponent = 0;
  const auto scaled = common_scale(bounds, exponent);
  if (!scaled) fail("the bounds and the step need more digits than 64 bits hold");
  const auto [start, stop, step] = *scaled;
  for (int64_t at = start; step > 0 ? at < stop : at > stop; at += step) {
    sweep.values.push_back(scalar_value(double_of_digits(fmt::format("{}e{}", at, exponent))));
    if (sweep.values.size() > kMostValues) fail("more than a million values");
  }
}

}  // namespace

GrammarSweep range_sweep(const ConfigNode& start, const ConfigNode& stop, const ConfigNode& step) {
  GrammarSweep sweep;
  sweep.kind = SweepKind::kRange;
  sweep.start = start;
  sweep.stop = stop;
  sweep.step = step;
  bool integral = true;
  for (const ConfigNode* bound : {&sweep.start, &sweep.stop, &sweep.step}) {
    if (!std::isfinite(number(*bound))) fail("the bounds must be finite");
    integral = integral && bound->kind() != ConfigKind::kFloat;
  }
  if (number(sweep.step) == 0) fail("the step must not be zero");
  integral ? fill_with_integers(sweep) : fill_with_floats(sweep);
  return sweep;
}

GrammarSweep sorted_range(const GrammarSweep& range, bool falling) {
  GrammarSweep sorted = range;
  if ((number(range.step) > 0) != falling || range.values.size() < 2) return sorted;
  std::ranges::reverse(sorted.values);
  sorted.start = sorted.values.front().scalar;
  if (sorted.start.kind() == ConfigKind::kInt) {
    sorted.step = -integer(range.step);
    sorted.stop = sorted.values.back().scalar.as_int64() + sorted.step.as_int64();
  } else {
    sorted.step = -number(range.step);
    sorted.stop = range.values.front().scalar.as_double() + sorted.step.as_double() / 2;
  }
  return sorted;
}

}  // namespace kvscope
