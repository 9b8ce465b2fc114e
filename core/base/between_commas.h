#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace kvscope {

/// "a" and "b" of "a,b"; nothing of an empty text, and nothing behind a last comma.
inline std::vector<std::string> between_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace kvscope
