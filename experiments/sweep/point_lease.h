#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace kvscope {

/// Who makes a point, as its lease says.
struct LeaseHolder {
  std::string host{};
  int64_t process = 0;

  [[nodiscard]] std::string text() const;  ///< "process 123 on node7"
};

/// The right to make one point of a results folder, held by one program at a time, so that several
/// may work on one folder, also from several machines. It is a lock on FOLDER/.lease, which dies
/// with its holder; the file's time, renewed every few seconds, tells machines whose file system
/// does not share locks, and the process number those of one machine whose file system has none.
/// The point's folder is made where it is absent.
class PointLease {
 public:
  /// A holder on another machine that has not said for so long that it lives has gone.
  static constexpr std::chrono::seconds kLongestSilence{60};
  /// The same as it holds here: KVSCOPE_LEASE_SECONDS, of at least 1, or kLongestSilence. One value
  /// for all who share a folder.
  static std::chrono::seconds longest_silence();

  /// The lease, or nullopt where another program holds it. Throws Error(kEnvironment) where the
  /// folder cannot be written.
  static std::optional<PointLease> try_take(const std::filesystem::path& point_folder);
  /// Who holds it now; nullopt: nobody.
  static std::optional<LeaseHolder> holder(const std::filesystem::path& point_folder);

  ~PointLease();
  PointLease(PointLease&& other) noexcept;
  PointLease(const PointLease&) = delete;
  PointLease& operator=(const PointLease&) = delete;
  PointLease& operator=(PointLease&&) = delete;

  /// Whether the file still names this holder. Another program may have taken over while this one
  /// was stopped for longer than longest_silence(); then nothing more may be written.
  [[nodiscard]] bool is_held() const;

 private:
  PointLease(std::filesystem::path file, int descriptor);

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::string token_;
  std::jthread beats_;
};

}  // namespace kvscope
