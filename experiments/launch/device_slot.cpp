#include "experiments/launch/device_slot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/device/device.h"
#include "experiments/launch/runtime_folder.h"

namespace kvscope {
namespace {

std::filesystem::path lock_file(const std::string& name) {
  return runtime_folder() / ("slot-" + name + ".lock");
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The process that holds a slot, as its file says; empty where nobody holds it.
std::string holder(const std::string& name) {
  const int descriptor = open(lock_file(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return "";
  struct flock lock = whole_file();
  const bool held = fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  std::array<char, 32> text{};
  const ssize_t bytes = pread(descriptor, text.data(), text.size() - 1, 0);
  close(descriptor);
  if (!held) return "";
  const std::string process(text.data(), bytes > 0 ? static_cast<size_t>(bytes) : 0);
  return process.empty() ? "another process" : "process " + process;
}

/// What CUDA_VISIBLE_DEVICES names, or 0 .. gpus - 1.
std::vector<std::string> visible_gpus() {
  std::vector<std::string> names;
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) {
    const int gpus = gpu_count_elsewhere();
    for (int i = 0; i < gpus; ++i) names.push_back(fmt::format("{}", i));
    return names;
  }
  std::string name;
  for (const char* letter = visible;; ++letter) {
    if (*letter != ',' && *letter != '\0') {
      if (*letter != ' ') name += *letter;
      continue;
    }
    if (DeviceSlot::is_name(name)) names.push_back(name);
    name.clear();
    if (*letter == '\0') return names;
  }
}

}  // namespace

bool DeviceSlot::is_name(const std::string& name) {
  constexpr size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' ||
           letter == '_' || letter == '-';
  });
}

std::optional<DeviceSlot> DeviceSlot::try_take(std::span<const std::string> names) {
  for (const std::string& name : names) {
    const std::filesystem::path file = lock_file(name);
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("{}: cannot be opened: {}", file.string(), std::strerror(errno)));
    }
    struct flock lock = whole_file();
    if (fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
      const int why = errno;
      close(descriptor);
      if (why == EAGAIN || why == EACCES) continue;
      throw Error(ErrorKind::kEnvironment,
                  fmt::format("{}: cannot be locked: {}", file.string(), std::strerror(why)));
    }
    const std::string process = fmt::format("{}", getpid());
    static_cast<void>(!ftruncate(descriptor, 0));  // the lock counts; what it says is for people
    static_cast<void>(!pwrite(descriptor, process.data(), process.size(), 0));
    return DeviceSlot(name, descriptor);
  }
  return std::nullopt;
}

std::string DeviceSlot::holders(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    const std::string by = holder(name);
    if (!by.empty()) text += fmt::format("{}{} by {}", text.empty() ? "" : ", ", name, by);
  }
  return text;
}

DeviceSlot::DeviceSlot(DeviceSlot&& other) noexcept
    : name_(std::move(other.name_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

DeviceSlot::~DeviceSlot() {
  if (descriptor_ >= 0) close(descriptor_);
}

DeviceSlots device_slots(const std::string& device,
                         const std::optional<std::vector<std::string>>& chosen) {
  if (chosen) return {.names = *chosen};
  if (device == "cuda") return {.names = visible_gpus()};
  constexpr std::string_view kPrefix = "cuda:";
  if (!device.starts_with(kPrefix)) return {};
  // A number counts among the visible ones, and stays right as long as these stay visible.
  const std::string number = device.substr(kPrefix.size());
  const std::vector<std::string> visible = visible_gpus();
  const size_t index = std::strtoul(number.c_str(), nullptr, 10);
  return {.names = {index < visible.size() ? visible[index] : number}, .shown_alone = false};
}

}  // namespace kvscope
