#include "experiments/report/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/error.h"

namespace kvscope {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {}
  ~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

  bool write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }

  // Some file systems report a full disk only here.
  bool finish() {
    const bool synced = ::fsync(descriptor_) == 0 || errno == EINVAL || errno == EROFS;
    const int sync_error = errno;
    const bool closed = ::close(descriptor_) == 0;
    descriptor_ = -1;
    if (!synced) errno = sync_error;
    return synced && closed;
  }

 private:
  int descriptor_;
};

[[noreturn]] void fail(const std::filesystem::path& path, const std::filesystem::path& part) {
  const int cause = errno;
  std::error_code ignored;
  if (cause != ENOENT && cause != ENOTDIR) std::filesystem::remove(part, ignored);
  std::string remedy = "choose another output folder or make this one writable";
  if (cause == ENOSPC || cause == EDQUOT) remedy = "free space there or choose another folder";
  if (cause == ENOENT || cause == ENOTDIR) {
    remedy = "its folder " + path.parent_path().string() + " does not exist or is no folder";
  }
  throw Error(ErrorKind::kEnvironment,
              "cannot write " + path.string() + ": " + std::strerror(cause) + "; " + remedy);
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path part = path.string() + ".part";
  {
    FileDescriptor file(part);
    if (!file.is_open() || !file.write_all(bytes) || !file.finish()) fail(path, part);
  }
  if (::rename(part.c_str(), path.c_str()) != 0) fail(path, part);
}

}  // namespace kvscope
