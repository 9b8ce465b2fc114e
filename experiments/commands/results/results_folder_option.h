#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

namespace kvscope {

/// The folder that a command reads results from; `folder` outlives the parsing.
inline void add_results_folder(CLI::App& command, std::filesystem::path& folder) {
  command.add_option("folder", folder, "results folder, such as multirun/quickstart")
      ->required()
      ->type_name("FOLDER");
}

}  // namespace kvscope
