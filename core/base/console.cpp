#include "core/base/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace kvscope {

void say_text(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  std::fflush(stderr);
}

std::optional<std::string> output_failure() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int code = errno;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return std::nullopt;
  std::clearerr(stdout);
  std::cout.clear();
  std::string failure = "standard output cannot be written";  // whose cause may be long past
  if (code != 0) failure += std::string(": ") + std::strerror(code);
  return failure;
}

void keep_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is the one that is missing. The other way round, so that using it is
    // an error as it was.
    static_cast<void>(open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY));
  }
}

}  // namespace kvscope
