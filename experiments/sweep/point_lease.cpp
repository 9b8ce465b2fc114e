#include "experiments/sweep/point_lease.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "core/base/atomic_file.h"
#include "experiments/sweep/results_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// How often a holder says that it lives: often enough that one beat may be missed.
std::chrono::milliseconds beat_period() {
  constexpr std::chrono::milliseconds kLongest{5000};
  constexpr int kBeats = 4;  // in the longest silence
  return std::min<std::chrono::milliseconds>(kLongest, PointLease::longest_silence() / kBeats);
}

std::string own_host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

struct LeaseText {
  LeaseHolder holder;
  std::string token;
};

/// nullopt where the file is empty, or was half written as its holder died.
std::optional<LeaseText> read_text(int descriptor) {
  std::array<char, 1024> text{};
  const ssize_t bytes = pread(descriptor, text.data(), text.size() - 1, 0);
  if (bytes <= 0) return std::nullopt;
  const auto json = nlohmann::json::parse(text.data(), text.data() + bytes, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return LeaseText{.holder = {.host = json.at("host"), .process = json.at("process")},
                     .token = json.at("token")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

/// False where it cannot be written.
bool write_text(int descriptor, const std::string& token) {
  const std::string text =
      nlohmann::json{{"host", own_host()}, {"process", int64_t{getpid()}}, {"token", token}}.dump(
          -1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
  return ftruncate(descriptor, 0) == 0 &&
         pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text);
}

/// Takes the lock (F_OFD_SETLK), or only looks whether it could be had (F_OFD_GETLK). It is of the
/// open file, not of the process, so that two leases of one process exclude each other, too.
enum class Lock { kFree, kOfAnother, kUnknown };
Lock lock(int descriptor, int command) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(descriptor, command, &whole) == 0) {
    const bool of_another = command == F_OFD_GETLK && whole.l_type != F_UNLCK;
    return of_another ? Lock::kOfAnother : Lock::kFree;
  }
  // Some network file systems know no locks: there what the file says decides, and its time.
  return errno == EAGAIN || errno == EACCES ? Lock::kOfAnother : Lock::kUnknown;
}

std::string new_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// By the clock of the file system, which all machines share; 0 where it cannot be told.
double seconds_since_beat(int descriptor, const fs::path& folder) {
  struct stat lease {};
  struct stat now {};
  const fs::path probe = own_part(folder / ".clock");
  const int written = open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const bool known = written >= 0 && write(written, "x", 1) == 1 && fstat(written, &now) == 0 &&
                     fstat(descriptor, &lease) == 0;
  if (written >= 0) {
    close(written);
    unlink(probe.c_str());
  }
  return known ? std::difftime(now.st_mtime, lease.st_mtime) : 0.0;
}

/// Whether somebody holds it by another word than a lock that is seen here: on another machine,
/// heard of lately; on this one, where the file system has no locks.
bool lives_unlocked(const std::optional<LeaseText>& text,
                    Lock lock,
                    int descriptor,
                    const fs::path& folder) {
  if (!text) return false;
  if (text->holder.host == own_host()) {
    if (lock != Lock::kUnknown) return false;
    if (kill(static_cast<pid_t>(text->holder.process), 0) != 0 && errno == ESRCH) return false;
  }
  return seconds_since_beat(descriptor, folder) <
         static_cast<double>(PointLease::longest_silence().count());
}

}  // namespace

std::string LeaseHolder::text() const {
  return fmt::format("process {} on {}", process, host);
}

PointLease::PointLease(fs::path file, int descriptor)
    : file_(std::move(file)), descriptor_(descriptor), token_(new_token()) {
  if (!write_text(descriptor_, token_)) {
    const std::string why = std::strerror(errno);
    close(descriptor_);
    refuse_results_folder(file_.parent_path(), why);
  }
  beats_ = std::jthread([descriptor, token = token_](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, stop, beat_period(), [] { return false; }) &&
           !stop.stop_requested()) {
      const std::optional<LeaseText> text = read_text(descriptor);
      if (!text || text->token != token) return;  // taken over
      futimens(descriptor, nullptr);
    }
  });
}

std::chrono::seconds PointLease::longest_silence() {
  const char* text = std::getenv("KVSCOPE_LEASE_SECONDS");
  const int64_t seconds = text == nullptr ? 0 : std::strtoll(text, nullptr, 10);
  return seconds >= 1 ? std::chrono::seconds(seconds) : kLongestSilence;
}

std::optional<PointLease> PointLease::try_take(const fs::path& point_folder) {
  prepare_results_folder(point_folder);
  const fs::path file = point_folder / ".lease";
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse_results_folder(point_folder, std::strerror(errno));
  const Lock taken = lock(descriptor, F_OFD_SETLK);
  if (taken == Lock::kOfAnother ||
      lives_unlocked(read_text(descriptor), taken, descriptor, point_folder)) {
    close(descriptor);
    return std::nullopt;
  }
  PointLease lease(file, descriptor);
  if (taken == Lock::kUnknown) {
    // Another program may have seen the same free file: the last one to write has it.
    constexpr std::chrono::milliseconds kOthersHaveWritten{200};
    std::this_thread::sleep_for(kOthersHaveWritten);
    if (!lease.is_held()) return std::nullopt;
  }
  return lease;
}

std::optional<LeaseHolder> PointLease::holder(const fs::path& point_folder) {
  const int descriptor = open((point_folder / ".lease").c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const std::optional<LeaseText> text = read_text(descriptor);
  // Looking takes nothing: whoever takes the lease at the same moment gets it.
  const Lock seen = lock(descriptor, F_OFD_GETLK);
  const bool held =
      seen == Lock::kOfAnother || lives_unlocked(text, seen, descriptor, point_folder);
  close(descriptor);
  if (!held) return std::nullopt;
  return text ? text->holder : LeaseHolder{.host = own_host()};
}

PointLease::PointLease(PointLease&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      token_(std::move(other.token_)),
      beats_(std::move(other.beats_)) {}

PointLease::~PointLease() {
  if (descriptor_ < 0) return;
  beats_.request_stop();
  if (beats_.joinable()) beats_.join();
  // An empty file says that nobody holds it, also to those who do not see the lock. It stays: to
  // remove it could remove what another program has just locked.
  if (is_held()) static_cast<void>(!ftruncate(descriptor_, 0));
  close(descriptor_);
}

bool PointLease::is_held() const {
  const std::optional<LeaseText> text = read_text(descriptor_);
  return text && text->token == token_;
}

}  // namespace kvscope
