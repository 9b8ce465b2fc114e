#include "core/base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr std::string_view kPartMark = ".part-";

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action, int code) {
  throw Error(ErrorKind::kEnvironment,
              fmt::format("{}: cannot {}: {}", path.string(), action, strerror(code)));
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), part_path_(own_part(path_)) {
  if (path_.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) fail(path_.parent_path(), "create the folder", error.value());
  }
  descriptor_ = ::open(part_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(part_path_, "open for writing", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_path_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(part_path_, fmt::format("write {} bytes", bytes.size()), errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(part_path_, "flush to disk", errno);
  if (::rename(part_path_.c_str(), path_.c_str()) != 0) fail(path_, "rename its part to it", errno);
  ::close(std::exchange(descriptor_, -1));
  // The new name itself is durable only once its folder is; a folder that cannot be synced (some
  // network file systems) still holds a complete file, so that is no error.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor >= 0) {
    ::fsync(folder_descriptor);
    ::close(folder_descriptor);
  }
}

std::filesystem::path own_part(const std::filesystem::path& path) {
  std::filesystem::path part = path;
  // Another program may write the same file, also on another machine.
  constexpr size_t kHosts = 1'000'000;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  part += fmt::format("{}{}{:06}", kPartMark, getpid(),
                      std::hash<std::string_view>()(host.data()) % kHosts);
  return part;
}

void remove_abandoned_parts(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (std::filesystem::recursive_directory_iterator item(folder, ignored), end; item != end;
       item.increment(ignored)) {
    const std::string name = item->path().filename().string();
    const size_t mark = name.rfind(kPartMark);
    if (mark == name.npos ||
        name.find_first_not_of("0123456789", mark + kPartMark.size()) != name.npos) {
      continue;
    }
    std::filesystem::remove(item->path(), ignored);
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace kvscope
