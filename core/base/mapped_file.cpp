#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"
#include "core/base/opened_files.h"

namespace kvscope {
MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: opening a pipe by mistake must fail below instead of waiting for a writer.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot open for reading: {}", path.string(), strerror(errno)));
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw Error(ErrorKind::kInput, fmt::format("{}: expected a regular file", path.string()));
  }
  OpenedFiles::note(path);
  size_bytes_ = status.st_size;
  if (size_bytes_ == 0) return;
  // NORESERVE: a private writable map would otherwise count against memory commitments in full.
  void* address = ::mmap(nullptr, static_cast<size_t>(size_bytes_), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_NORESERVE, descriptor_, 0);
  if (address == MAP_FAILED) {
    const int code = errno;
    ::close(descriptor_);
    throw Error(ErrorKind::kEnvironment, fmt::format("{}: cannot map {} bytes: {}", path.string(),
                                                     size_bytes_, strerror(code)));
  }
  data_ = static_cast<std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, static_cast<size_t>(size_bytes_));
  ::close(descriptor_);
}

void MappedFile::read(int64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(descriptor_, into.data(), into.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: cannot read {} bytes at {}: {}", path_.string(), into.size(),
                              offset, got == 0 ? "the file ends before" : strerror(errno)));
    }
    into = into.subspan(static_cast<size_t>(got));
    offset += got;
  }
}

void MappedFile::release(std::span<const std::byte> range) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(range.data());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + range.size()) / page * page;
  if (last > first) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace kvscope
