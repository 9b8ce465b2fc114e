#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kvscope {

/// A task of an array as the scheduler knows it.
struct SlurmTask {
  std::string job_name{};
  std::string job_id{};  ///< of the array
  int64_t task = 0;
  std::string state{};   ///< "PENDING", "RUNNING", "TIMEOUT", ...
  std::string reason{};  ///< why it waits or ended, as squeue says it; "None"

  /// Whether it runs, will, or may run again.
  [[nodiscard]] bool is_live() const;
  /// "12_3".
  [[nodiscard]] std::string id() const;
};

/// Every task of these jobs that the scheduler still remembers: those that ended, for some minutes.
/// nullopt where it does not answer; `why` gets its words.
std::optional<std::vector<SlurmTask>> slurm_tasks(std::span<const std::string> job_names,
                                                  std::string& why);

/// The lines of squeue with format "%j|%F|%K|%T|%r".
std::vector<SlurmTask> tasks_of_listing(const std::string& listing);

}  // namespace kvscope
