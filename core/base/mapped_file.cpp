#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace kvscope {
namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe by mistake must fail below instead of waiting for a writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot open for reading: {}", path.string(), strerror(errno)));
  }
  struct stat status {};
  if (::fstat(file.number, &status) != 0 || !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected a regular file", path.string()));
  }
  size_bytes_ = status.st_size;
  if (size_bytes_ == 0) return;
  // NORESERVE: a private writable map would otherwise count against memory commitments in full.
  void* address = ::mmap(nullptr, static_cast<size_t>(size_bytes_), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_NORESERVE, file.number, 0);
  if (address == MAP_FAILED) {
    throw Error(ErrorKind::kEnvironment, fmt::format("{}: cannot map {} bytes: {}", path.string(),
                                                     size_bytes_, strerror(errno)));
  }
  data_ = static_cast<std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, static_cast<size_t>(size_bytes_));
}

}  // namespace kvscope
