#include "core/base/text_file.h"

#include <fstream>
#include <iterator>
#include <system_error>

namespace kvscope {

std::optional<std::string> text_of_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace kvscope
