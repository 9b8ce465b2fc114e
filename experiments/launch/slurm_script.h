#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/launch/launch_options.h"

namespace kvscope {

/// What the script of an array is written from, beside the user's options.
struct SlurmScript {
  SlurmOptions options{};
  std::string job_name{};
  std::string working_folder{};
  std::string log_folder{};  ///< gets %A_%a.out
  int64_t tasks = 1;
  std::vector<std::string> work{};  ///< words in front of a task's number
  std::string command_line{};       ///< of the sweep, for who reads the script
};

/// The options of sbatch, a word each.
std::vector<std::string> sbatch_options(const SlurmScript& script);

/// The script: these options as #SBATCH lines, then the work of a task.
std::string slurm_script(const SlurmScript& script);

}  // namespace kvscope
