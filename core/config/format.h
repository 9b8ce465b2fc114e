#pragma once

#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Shortest text that reads back as the same double, always recognisable as a float: "0.1", "1.0",
/// "1e-07", "1e+20", "inf", "-inf", "nan" (Python's repr).
std::string format_float(double value);

/// Compact JSON with sorted keys and shortest floats; equal trees give equal text. Infinities and
/// NaN become the strings "inf", "-inf", "nan".
std::string canonical_json(const ConfigNode& node);

/// JSON in the tree's own key order, indented by two spaces.
std::string to_json(const ConfigNode& node);

/// Block-style YAML that load_yaml_text reads back as the same tree.
std::string to_yaml(const ConfigNode& node);

/// How Python's str() writes the value inside a larger text: True, None, [1, 'a'].
std::string python_text(const ConfigNode& node);

}  // namespace kvscope
