#pragma once

#include <functional>
#include <string>

#include "core/config/value.h"

namespace kvscope {

/// What stands behind a value as a comment; may be "".
using ValueRemark = std::function<std::string(const ConfigNode& value)>;

/// YAML with a line per value and a remark behind each: mappings as blocks, lists in brackets.
/// Remarks of neighbouring lines stand below each other where that takes no more than 48 columns.
std::string to_remarked_yaml(const ConfigNode& node, const ValueRemark& remark);

}  // namespace kvscope
