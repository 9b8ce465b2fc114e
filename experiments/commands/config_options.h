#pragma once

#include <CLI/CLI.hpp>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// The options of every command that composes a configuration; `arguments` outlives the parsing.
void add_config_options(CLI::App& command, ConfigArguments& arguments);
/// Of them, --plugin alone.
void add_plugin_option(CLI::App& command, ConfigArguments& arguments);

}  // namespace kvscope
