#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"

namespace kvscope {

/// `launch.slurm`: what the jobs of a sweep are submitted with. Words are as sbatch takes them.
struct SlurmOptions {
  std::optional<std::string> partition{};
  std::optional<std::string> account{};
  std::optional<std::string> qos{};
  std::optional<std::string> constraint{};
  std::optional<std::string> reservation{};
  std::optional<std::string> nodes{};    ///< --nodelist
  std::optional<std::string> exclude{};  ///< nodes
  std::optional<std::string> gres{};     ///< "gpu:1"
  std::optional<std::string> memory{};   ///< "8G", of a task
  std::optional<int64_t> cpus{};         ///< of a task
  std::optional<int64_t> minutes{};      ///< time limit of a task
  std::optional<int64_t> at_once{};      ///< tasks running at once, at most; none: no limit
  int64_t points_per_task = 1;
  int64_t stop_seconds = 120;        ///< before the time limit, the batch at work is the last one
  bool wait = true;                  ///< until all points have ended
  std::vector<std::string> extra{};  ///< more options of sbatch; from the command line alone
  std::vector<std::string> setup{};  ///< lines of the script; from the command line alone
};

/// `launch`: how the launchers of launchers.def do it.
struct LaunchOptions {
  std::optional<std::vector<std::string>> slots{};  ///< none: as the device asks
  int64_t tasks = 1;                                ///< of the launcher `command`
  std::vector<std::string> command{};               ///< from the command line alone
  SlurmOptions slurm{};
};
/// Asks for the keys, "launch.slots" and so on, of the whole configuration. Throws Error(kConfig)
/// for what a scheduler would read as something else, and for what a configuration file may not
/// say: files run nothing.
LaunchOptions read_launch_options(Options& options);

/// The launcher that reads a key of these: "slurm" of "launch.slurm.gres".
std::string launcher_that_reads(const std::string& key);

}  // namespace kvscope
