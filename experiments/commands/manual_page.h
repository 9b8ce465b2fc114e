#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace kvscope {

/// The program's manual page in troff, section 1: every command with its options as `program`
/// declares them, overrides, exit codes, environment and files.
std::string manual_page(const CLI::App& program, const std::string& version);

}  // namespace kvscope
