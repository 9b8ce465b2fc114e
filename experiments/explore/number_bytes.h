#pragma once

#include <span>
#include <string>

namespace kvscope {

/// Little-endian IEEE numbers, as JavaScript's typed arrays and DataView read them. A number that
/// came from a file of this precision goes through unchanged; others are rounded to nearest.
std::string float_bytes(std::span<const double> numbers);
std::string half_bytes(std::span<const double> numbers);

}  // namespace kvscope
