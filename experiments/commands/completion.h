#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace kvscope {

/// `kvscope completion SHELL`: prints the script that the shell reads. Returns the exit code.
int completion_command(const std::string& shell);

/// `kvscope complete -- WORDS` or `--line LINE`, which these scripts call: prints what may stand as
/// the last word, a line each. Says nothing where it knows nothing; returns 0 always, writes
/// nothing.
int complete_command(const CLI::App& program, const std::vector<std::string>& words);

}  // namespace kvscope
