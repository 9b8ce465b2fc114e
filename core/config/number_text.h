#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/config/value.h"

namespace kvscope {

/// Numbers as Python's int() and float() read them from text: blanks around them, a sign, single
/// underscores between digits, leading zeros; floats also inf, infinity and nan in any case. None
/// where Python would refuse the text.
std::optional<ConfigNode> integer_of_text(std::string_view text);
std::optional<double> float_of_text(std::string_view text);

/// The double of decimal digits with an optional point and exponent, beyond the range infinite or
/// zero.
double double_of_digits(const std::string& digits);

/// A finite double without its fraction, as an integer of any length.
ConfigNode truncated(double value);

}  // namespace kvscope
