#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// What to print of a composed configuration instead of running it, in Hydra's words.
struct ShownConfig {
  std::string part{};  ///< --cfg: job, hydra or all
  bool resolve = false;
  std::string package{};  ///< only what is below this key
  bool origin = false;    ///< where each value was written
  std::string info{};     ///< --info: how the configuration came about

  /// Whether anything is to be printed.
  [[nodiscard]] bool is_asked() const { return !part.empty() || origin || !info.empty(); }
};

/// The options for it; `shown` outlives the parsing.
void add_show_options(CLI::App& command, ShownConfig& shown);

/// Prints what is asked for. Returns the exit code. Throws Error(kConfig) for unknown parts.
int show_config_command(const ConfigArguments& arguments, const ShownConfig& shown);

}  // namespace kvscope
