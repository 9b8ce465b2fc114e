#include "core/base/set_aside.h"

#include <fmt/format.h>

#include <system_error>

#include "core/base/error.h"

namespace kvscope {

std::filesystem::path set_aside(const std::filesystem::path& path) {
  std::filesystem::path other = path;
  other += ".damaged";
  std::error_code error;
  for (int number = 2; std::filesystem::exists(std::filesystem::symlink_status(other, error));
       ++number) {
    other = path;
    other += fmt::format(".damaged-{}", number);
  }
  std::filesystem::rename(path, other, error);
  if (!error) return other;
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{}: damaged, and cannot be renamed to {}: {}", path.string(),
                          other.filename().string(), error.message()));
}

bool is_set_aside(const std::filesystem::path& path) {
  return path.filename().string().find(".damaged") != std::string::npos;
}

}  // namespace kvscope
