#include "experiments/sweep/point_lease.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "experiments/sweep/results_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBeatPeriod{5};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
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
    return LeaseText{.holder = {.host = json.at("host"),
                                .process = json.at("process"),
                                .beat_s = json.at("beat_s")},
                     .token = json.at("token")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

/// False where it cannot be written. One write of less than a block: a reader sees all or nothing.
bool write_text(int descriptor, const std::string& token) {
  std::string text = nlohmann::json{{"host", own_host()},
                                    {"process", int64_t{getpid()}},
                                    {"beat_s", seconds_now()},
                                    {"token", token}}
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                     "\n";
  const ssize_t written = pwrite(descriptor, text.data(), text.size(), 0);
  return written == std::ssize(text) && ftruncate(descriptor, written) == 0;
}

std::string new_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// Whether somebody on another machine, whose locks this one need not see, has been alive lately.
bool lives_elsewhere(const std::optional<LeaseText>& text) {
  if (!text || text->holder.host == own_host()) return false;
  return seconds_now() - text->holder.beat_s < PointLease::kLongestSilence.count();
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
    while (!ended.wait_for(lock, stop, kBeatPeriod, [] { return false; }) &&
           !stop.stop_requested()) {
      const std::optional<LeaseText> text = read_text(descriptor);
      if (!text || text->token != token) return;   // taken over
      if (!write_text(descriptor, token)) return;  // a full disk: whoever writes results says so
    }
  });
}

std::optional<PointLease> PointLease::try_take(const fs::path& point_folder) {
  prepare_results_folder(point_folder);
  const fs::path file = point_folder / ".lease";
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse_results_folder(point_folder, std::strerror(errno));
  // Some network file systems know no locks: there the beat alone decides.
  const bool locked_by_another = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (locked_by_another || lives_elsewhere(read_text(descriptor))) {
    close(descriptor);
    return std::nullopt;
  }
  return PointLease(file, descriptor);
}

std::optional<LeaseHolder> PointLease::holder(const fs::path& point_folder) {
  const int descriptor = open((point_folder / ".lease").c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const std::optional<LeaseText> text = read_text(descriptor);
  const bool locked_by_another = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const bool held = locked_by_another || lives_elsewhere(text);
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
