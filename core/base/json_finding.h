#pragma once

#include <exception>
#include <string>

namespace kvscope {

/// What an exception of nlohmann::json found, for people: "no key 'schema'", "expected a value of
/// type string, found number", "line 1, column 2: syntax error ...". Without the library's own name
/// and numbers; of any other exception its text.
std::string json_finding(const std::exception& error);

}  // namespace kvscope
