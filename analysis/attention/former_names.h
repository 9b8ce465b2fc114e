#pragma once

#include <string>

namespace kvscope {

/// What an array that files of schema version 2 call `name` is called since; other names stay what
/// they are.
std::string name_since_version_3(const std::string& name);

}  // namespace kvscope
