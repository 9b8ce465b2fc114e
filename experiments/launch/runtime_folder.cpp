#include "experiments/launch/runtime_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr const char* kVariable = "KVSCOPE_RUNTIME_FOLDER";
constexpr mode_t kOwnerOnly = 0700;

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw Error(ErrorKind::kEnvironment, fmt::format("runtime folder {}: {}; {}=FOLDER names another",
                                                   folder.string(), why, kVariable));
}

}  // namespace

std::filesystem::path runtime_folder() {
  const char* named = std::getenv(kVariable);
  const bool is_named = named != nullptr && *named != '\0';
  std::filesystem::path folder = is_named ? named : fmt::format("/tmp/kvscope-{}", getuid());
  if (mkdir(folder.c_str(), kOwnerOnly) != 0 && errno != EEXIST) {
    refuse(folder, std::strerror(errno));
  }
  // Anybody may have made what lies in /tmp.
  struct stat found {};
  if (lstat(folder.c_str(), &found) != 0) refuse(folder, std::strerror(errno));
  if (!S_ISDIR(found.st_mode)) refuse(folder, "is no folder");
  if (found.st_uid != getuid()) refuse(folder, "belongs to another user");
  return folder;
}

}  // namespace kvscope
