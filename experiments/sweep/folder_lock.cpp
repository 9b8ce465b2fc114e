#include "experiments/sweep/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/error.h"

namespace kvscope {

FolderLock::FolderLock(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("results folder {}: cannot be made: {}; choose another with "
                            "hydra.sweep.dir=DIR (hydra.run.dir=DIR for a single point)",
                            folder.string(), error.message()));
  }
  const std::filesystem::path file = folder / ".lock";
  descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("results folder {}: cannot be written: {}; choose another with "
                            "hydra.sweep.dir=DIR (hydra.run.dir=DIR for a single point)",
                            folder.string(), std::strerror(errno)));
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    close(descriptor_);
    // Some network file systems know no locks; two runs at once are then the user's to avoid.
    descriptor_ = -1;
    if (reason != EWOULDBLOCK) return;
    throw Error(ErrorKind::kEnvironment,
                fmt::format("results folder {}: another kvscope is running in it; wait for it or "
                            "choose another folder with hydra.sweep.dir=DIR",
                            folder.string()));
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace kvscope
