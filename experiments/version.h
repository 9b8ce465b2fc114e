#pragma once

namespace kvscope {

/// As in CMakeLists.txt; a test compares them.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace kvscope
