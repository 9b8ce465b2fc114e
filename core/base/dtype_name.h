#pragma once

#include <c10/core/ScalarType.h>

namespace kvscope {

/// As configurations and papers call it: "fp32", "bf16", "int64"; LibTorch's own name for types
/// that have no such name.
const char* dtype_name(c10::ScalarType type);

}  // namespace kvscope
