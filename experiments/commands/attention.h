#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace kvscope {

/// Adds `kvscope attention record|list|show|roles|heads|preferences|convert-profile` to the command
/// line. Where one of them was typed, parsing hands what it does, which returns the exit code, to
/// `choose`.
void add_attention_commands(CLI::App& app, const std::function<void(std::function<int()>)>& choose);

}  // namespace kvscope
