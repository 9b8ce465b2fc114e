#include "experiments/launch/slurm_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/base/shell_word.h"

namespace kvscope {
namespace {

/// A file name in which sbatch replaces nothing.
std::string literal_name(const std::string& path) {
  std::string literal;
  for (const char letter : path)
    literal += letter == '%' ? std::string("%%") : std::string(1, letter);
  return literal;
}

/// An option as sbatch reads it back from a #SBATCH line: quotes and backslashes mean there what
/// they mean to a shell, and a line break would begin a line of the script.
std::string sbatch_word(const std::string& word) {
  std::string quoted;
  bool plain = true;
  for (const char letter : word) {
    if (static_cast<unsigned char>(letter) < ' ') {
      throw Error(ErrorKind::kConfig,
                  fmt::format("slurm: '{}' has a line break or another control character in it, "
                              "which no script of sbatch can hold",
                              word));
    }
    const bool is_special = letter == '"' || letter == '\\';
    plain = plain && !is_special && letter != ' ' && letter != '\'' && letter != '#';
    if (is_special) quoted += '\\';
    quoted += letter;
  }
  return plain ? word : '"' + quoted + '"';
}

}  // namespace

std::vector<std::string> sbatch_options(const SlurmScript& script) {
  const SlurmOptions& slurm = script.options;
  std::vector<std::string> options{
      "--job-name=" + script.job_name,
      fmt::format("--array=0-{}{}", script.tasks - 1,
                  slurm.at_once ? fmt::format("%{}", *slurm.at_once) : ""),
      "--output=" + literal_name(script.log_folder) + "/%A_%a.out",
      "--open-mode=append",
      "--chdir=" + script.working_folder,
      "--requeue",
      fmt::format("--signal=B:USR1@{}", slurm.stop_seconds)};
  const auto add = [&](const char* name, const std::optional<std::string>& word) {
    if (word) options.push_back(fmt::format("--{}={}", name, *word));
  };
  const auto add_number = [&](const char* name, const std::optional<int64_t>& number) {
    if (number) options.push_back(fmt::format("--{}={}", name, *number));
  };
  add("partition", slurm.partition);
  add("account", slurm.account);
  add("qos", slurm.qos);
  add("constraint", slurm.constraint);
  add("reservation", slurm.reservation);
  add("nodelist", slurm.nodes);
  add("exclude", slurm.exclude);
  add("gres", slurm.gres);
  add("mem", slurm.memory);
  add_number("cpus-per-task", slurm.cpus);
  add_number("time", slurm.minutes);
  options.insert(options.end(), slurm.extra.begin(), slurm.extra.end());
  return options;
}

std::string slurm_script(const SlurmScript& script) {
  std::string comment = script.command_line;
  std::ranges::replace_if(
      comment, [](char letter) { return static_cast<unsigned char>(letter) < ' '; }, ' ');
  std::string text = fmt::format("#!/bin/bash\n# Of: {}\n", comment);
  for (const std::string& option : sbatch_options(script)) {
    text += "#SBATCH " + sbatch_word(option) + "\n";
  }
  text += "\ntrap '' USR1  # until kvscope listens\n";
  for (const std::string& line : script.options.setup) text += line + "\n";
  text += "exec";
  for (const std::string& word : script.work) text += " " + shell_word(word);
  return text + " \"$SLURM_ARRAY_TASK_ID\"\n";
}

}  // namespace kvscope
