#include "policies/option_path.h"

namespace kvscope {

std::filesystem::path option_path(const ConfigNode& node) {
  const std::filesystem::path path = node.as_string();
  if (path.is_absolute() || !node.origin().source) {
    return path;
  }
  const auto beside = std::filesystem::path(*node.origin().source).parent_path() / path;
  std::error_code ignored;
  return std::filesystem::is_regular_file(beside, ignored) ? beside : path;
}

}  // namespace kvscope
