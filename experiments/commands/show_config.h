#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// What to print of a composed configuration instead of running it, in Hydra's words.
struct ShownConfig {
  std::string part{};  ///< --cfg: job, hydra or all
  bool resolve = false;
  std::string package{};  ///< only what is below this key
  bool origin = false;    ///< where each value was written
  std::string info{};     ///< --info: how the configuration came about

  /// Whether values are to be printed.
  [[nodiscard]] bool shows_values() const { return !part.empty() || origin; }
  /// Whether anything is to be printed.
  [[nodiscard]] bool is_asked() const { return shows_values() || !info.empty(); }
};

/// The options for it; `shown` outlives the parsing.
void add_show_options(CLI::App& command, ShownConfig& shown);

/// Throws Error(kConfig) where an option says how something is printed and nothing is, or where
/// `acts` names options of what is done instead of printing. `typed` is the command line.
void check_shown(const ShownConfig& shown,
                 const std::vector<std::string>& acts,
                 const std::string& typed);

/// Prints what is asked for. Returns the exit code. Throws Error(kConfig) for unknown parts.
int show_config_command(const ConfigArguments& arguments, const ShownConfig& shown);

}  // namespace kvscope
