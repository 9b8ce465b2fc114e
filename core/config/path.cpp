#include "core/config/path.h"

namespace kvscope {

bool from_command_line(const ConfigOrigin& origin) {
  return origin.source && origin.line == 0;
}

std::filesystem::path path_of(const ConfigNode& node) {
  const std::filesystem::path path = node.as_string();
  const ConfigOrigin& origin = node.origin();
  if (path.is_absolute() || !origin.source || from_command_line(origin)) return path;
  return (std::filesystem::path(*origin.source).parent_path() / path).lexically_normal();
}

}  // namespace kvscope
