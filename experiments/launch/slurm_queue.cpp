#include "experiments/launch/slurm_queue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "experiments/launch/external_program.h"

namespace kvscope {
namespace {

constexpr std::array<std::string_view, 10> kEnded = {
    "COMPLETED", "CANCELLED", "FAILED",   "TIMEOUT",       "NODE_FAIL",
    "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED"};

}  // namespace

bool SlurmTask::is_live() const {
  return std::ranges::find(kEnded, state) == kEnded.end();
}

std::string SlurmTask::id() const {
  return fmt::format("{}_{}", job_id, task);
}

std::vector<SlurmTask> tasks_of_listing(const std::string& listing) {
  std::vector<SlurmTask> tasks;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    constexpr size_t kColumns = 5;
    if (cells.size() < kColumns) continue;
    SlurmTask task{.job_name = cells[0], .job_id = cells[1], .state = cells[3], .reason = cells[4]};
    const char* end = cells[2].data() + cells[2].size();
    if (std::from_chars(cells[2].data(), end, task.task).ptr == end) tasks.push_back(task);
  }
  return tasks;
}

std::optional<std::vector<SlurmTask>> slurm_tasks(std::span<const std::string> job_names,
                                                  std::string& why) {
  if (job_names.empty()) return std::vector<SlurmTask>();
  const auto answer = run_external({"squeue", "--noheader", "--array", "--states=all",
                                    fmt::format("--name={}", fmt::join(job_names, ",")),
                                    "--format=%j|%F|%K|%T|%r"});
  if (!answer) {
    why = "there is no squeue in PATH";
    return std::nullopt;
  }
  if (answer->exit_code != 0) {
    why = answer->errors.substr(0, answer->errors.find('\n'));
    return std::nullopt;
  }
  return tasks_of_listing(answer->output);
}

}  // namespace kvscope
