#pragma once

#include <string>
#include <string_view>

#include "core/config/value.h"

namespace kvscope {

/// An integer of any length from its decimal digits, with a sign or without. Beyond 64 bits it is
/// still of kind kInt; as_int64() refuses it, as_double() gives the nearest double.
ConfigNode integer_node(std::string_view digits);

/// The decimal digits of an integer of any length. Throws Error(kConfig) for other kinds.
std::string integer_text(const ConfigNode& node);

}  // namespace kvscope
