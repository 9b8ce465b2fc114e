#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace kvscope {

/// Prints the one JSON object of a command with --json to standard output (docs/json.md). Errors
/// stay on standard error, and exit codes are those of the command without it.
void print_json(const nlohmann::ordered_json& object);

/// A number of an object: null where it is none or not finite.
nlohmann::ordered_json number_or_null(double value);

/// The flag of every command that reads; `json` outlives the parsing.
void add_json_flag(CLI::App& command, bool& json);

}  // namespace kvscope
